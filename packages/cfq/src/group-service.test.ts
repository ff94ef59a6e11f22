import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GroupService } from "./group-service.ts";
import { GroupShare } from "./group-share.ts";
import { Timing } from "./timing.ts";

const BEHIND_LAST = 200;

function shareOf(weight: number): GroupShare {
  const share = new GroupShare();
  share.reset(weight);
  return share;
}

/** Serves the first one for a slice, so many times; answers who it was, in letters. */
function serve(service: GroupService, shares: readonly GroupShare[], times: number): string {
  let story = "";
  for (let turn = 0; turn < times; turn += 1) {
    const share = service.select();
    if (share === null) return story;
    story += "ABCDEFGH".charAt(shares.indexOf(share));
    service.charge(share, 100);
  }
  return story;
}

function activated(weights: readonly number[], start = 0n): [GroupService, GroupShare[]] {
  const service = new GroupService(BEHIND_LAST, start);
  const shares = weights.map(shareOf);
  for (const share of shares) service.activate(share, true);
  return [service, shares];
}

describe("a hundred ticks of service", () => {
  it.each([
    [500, 409_600n],
    [1000, 204_800n],
    [100, 2_048_000n],
    [300, 682_666n],
  ])("move a group of weight %d on by %d", (weight, moved) => {
    const [service, [share]] = activated([weight]);
    serve(service, [], 1);
    expect(share?.vdisktime).toBe(moved);
    expect(share?.served).toBe(100);
  });
});

describe("groups that are always busy", () => {
  it("of weights 1000 and 500 are served A B A A B A A B A", () => {
    const [service, shares] = activated([1000, 500]);
    expect(serve(service, shares, 9)).toBe("ABAABAABA");
    expect(shares.map(({ vdisktime }) => vdisktime)).toEqual([1_228_800n, 1_229_000n]);
  });

  it("of weights 500, 250 and 250 are served A B C A A B C A A B C A", () => {
    const [service, shares] = activated([500, 250, 250]);
    expect(serve(service, shares, 12)).toBe("ABCAABCAABCA");
  });

  it("are served alike where virtual time wraps around", () => {
    const [service, shares] = activated([1000, 500], 2n ** 63n - 300_000n);
    expect(serve(service, shares, 9)).toBe("ABAABAABA");
    expect(shares.every(({ vdisktime }) => vdisktime < 0n)).toBe(true);
  });

  it("have in n turns what their weights say, give or take two turns, or one for each of many others", () => {
    const weights = fc.array(fc.integer({ min: 10, max: 1000 }), { minLength: 2, maxLength: 8 });
    fc.assert(
      fc.property(weights, fc.integer({ min: 1, max: 400 }), (list, turns) => {
        const [service, shares] = activated(list);
        serve(service, shares, turns);
        for (const { served, weight } of shares) {
          const ideal = (turns * weight) / service.totalWeight;
          const most = Math.max(2, list.length - 1);
          expect(Math.abs(served / 100 - ideal)).toBeLessThanOrEqual(most);
        }
      }),
    );
  });
});

describe("virtual time", () => {
  it("never goes back, and no group is behind it, whatever comes and goes", () => {
    const step = fc.tuple(
      fc.constantFrom("come", "go", "serve", "weigh"),
      fc.nat(4),
      fc.integer({ min: 10, max: 1000 }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const service = new GroupService(BEHIND_LAST);
        const shares = [100, 300, 500, 1000, 10].map(shareOf);
        let least = service.minVdisktime;
        for (const [what, number, amount] of steps) {
          const share = shares[number] ?? shareOf(500);
          if (what === "come") service.activate(share, true);
          else if (what === "weigh") share.nextWeight = amount;
          else if (what === "go") {
            if (share.busyQueues > 0) service.deactivate(share, true);
          } else {
            const first = service.select();
            if (first !== null) service.charge(first, amount);
          }
          expect(service.minVdisktime).toBeGreaterThanOrEqual(least);
          least = service.minVdisktime;
          const onTree = shares.filter(({ isOnTree }) => isOnTree);
          for (const { vdisktime } of onTree) expect(vdisktime).toBeGreaterThanOrEqual(least);
          const total = onTree.reduce((sum, { weight }) => sum + weight, 0);
          expect(service.totalWeight).toBe(total);
        }
      }),
    );
  });
});

describe("a group that comes", () => {
  it("to nobody begins where the last ones were, not where it was itself", () => {
    const [service, [first, second]] = activated([500, 500]);
    if (first === undefined || second === undefined) throw new Error("no groups");
    serve(service, [], 6);
    service.select();
    service.deactivate(first, true);
    service.deactivate(second, true);
    expect(service.totalWeight).toBe(0);
    service.activate(first, true);
    expect(first.vdisktime).toBe(service.minVdisktime);
    expect(first.dequeues).toBe(1);
  });

  it("stands behind all others, however long it was away", () => {
    const [service, [first, second]] = activated([500, 500]);
    if (first === undefined || second === undefined) throw new Error("no groups");
    service.deactivate(second, true);
    serve(service, [], 50);
    service.activate(second, true);
    expect(second.vdisktime).toBe(first.vdisktime + 200n);
  });

  it("stays where it is when a second queue of it is busy, until both have gone", () => {
    const [service, [share]] = activated([500]);
    if (share === undefined) throw new Error("no group");
    serve(service, [], 3);
    const { vdisktime } = share;
    service.activate(share, true);
    expect(share.vdisktime).toBe(vdisktime);
    service.deactivate(share, true);
    expect(share.isOnTree).toBe(true);
    service.deactivate(share, true);
    expect(share.isOnTree).toBe(false);
    expect(() => {
      service.deactivate(share, true);
    }).toThrow("fewer than no busy queues");
  });
});

it("a new weight counts from the next time on that a group is put into its place, and once", () => {
  const [service, [first, second]] = activated([500, 500]);
  if (first === undefined || second === undefined) throw new Error("no groups");
  first.nextWeight = 1000;
  expect(service.totalWeight).toBe(1000);
  // Charged by the weight that it was served with.
  service.charge(first, 100);
  expect(first.vdisktime).toBe(409_600n);
  expect(service.totalWeight).toBe(1500);
  service.charge(first, 100);
  expect(first.vdisktime).toBe(409_600n + 204_800n);
  service.deactivate(first, true);
  expect(service.totalWeight).toBe(500);
});

describe("the slice of a group", () => {
  const timing = new Timing({ nowMs: () => 0 }, 1000);

  it("is its part of 300 ms", () => {
    expect(timing.groupSlice(1000, 1500)).toBe(200);
    expect(timing.groupSlice(500, 1500)).toBe(100);
  });

  it("of a queue is 100 ms, or 40 where nobody waits, and more the lower its priority's number", () => {
    expect([0, 4, 7].map((priority) => timing.baseSlice(true, priority))).toEqual([180, 100, 40]);
    expect(timing.baseSlice(false, 4)).toBe(40);
  });
});
