import { Bio, bioEndio, chainBio } from "@blkstack/bio";
import type { Task } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TestDevice } from "../test/test-device.ts";
import { MakeRequest, type MakeRequestOptions } from "./index.ts";

/** What a bio brings about: one driver call for each piece, each with at most one bio below. */
interface Plan {
  readonly device: number;
  readonly pieces: readonly {
    readonly below: Plan | null;
    readonly restFirst: boolean;
    readonly sleeps: boolean;
  }[];
}

const DEVICES = 5;

/** A bio below goes to any other device, not only to lower ones: loops are a matter of the plan. */
const { plan: anyPlan } = fc.letrec<{ plan: Plan; leaf: Plan }>((tie) => {
  const piece = (below: fc.Arbitrary<Plan | null>): fc.Arbitrary<Plan["pieces"][number]> =>
    fc.record({ below, restFirst: fc.boolean(), sleeps: fc.boolean() });
  const device = fc.nat(DEVICES - 1);
  return {
    leaf: fc.record({
      device,
      pieces: fc.array(piece(fc.constant(null)), { minLength: 1, maxLength: 2 }),
    }),
    plan: fc.oneof(
      { maxDepth: 4, depthIdentifier: "plan" },
      tie("leaf"),
      fc
        .record({
          device,
          pieces: fc.array(piece(fc.option(tie("plan"), { depthIdentifier: "plan" })), {
            minLength: 1,
            maxLength: 4,
          }),
        })
        .map(({ device: own, pieces }) => ({
          device: own,
          pieces: pieces.map((some) => ({ ...some, below: elsewhere(some.below, own) })),
        })),
    ),
  };
});

/** A bio to the own device would be a rest of it: the promise is about bios to others. */
function elsewhere(plan: Plan | null, device: number): Plan | null {
  if (plan?.device !== device) return plan;
  return { ...plan, device: (device + 1) % DEVICES, pieces: [] };
}

/** How recursion would do it: all of a piece, then the rest. */
function depthFirst(plan: Plan, path: string): string[] {
  return Array.from({ length: Math.max(plan.pieces.length, 1) }, (_, index) => {
    const name = `${path}.${String(index)}`;
    const below = plan.pieces[index]?.below ?? null;
    return [name, ...(below === null ? [] : depthFirst(below, name))];
  }).flat();
}

interface Outcome {
  readonly calls: string[];
  readonly ends: Map<string, number>;
}

/** Carries the plan out with real drivers: children chained, every sleep one virtual millisecond. */
async function carryOut(plan: Plan, options: MakeRequestOptions): Promise<Outcome> {
  const scheduler = new VirtualScheduler();
  const submitter = new MakeRequest(options);
  const outcome: Outcome = { calls: [], ends: new Map() };
  const work = new WeakMap<Bio, { plan: Plan; path: string; piece: number }>();
  const makeBio = (to: Plan, path: string): Bio => {
    const bio = new Bio();
    bio.device = devices[to.device] ?? null;
    work.set(bio, { plan: to, path, piece: 0 });
    return bio;
  };
  const pause = { label: "pause", blockers: () => [] };
  const drive = async (bio: Bio, task: Task): Promise<void> => {
    const own = work.get(bio);
    if (own === undefined) throw new Error("a bio out of nowhere");
    const name = `${own.path}.${String(own.piece)}`;
    outcome.calls.push(name);
    const piece = own.plan.pieces[own.piece];
    own.piece += 1;
    const hasRest = own.piece < own.plan.pieces.length;
    if (piece?.sleeps === true) await scheduler.sleep(task, pause, 1);
    let child: Bio | null = null;
    if (piece?.below != null) {
      child = makeBio(piece.below, name);
      chainBio(child, bio);
    }
    const bios = [hasRest ? bio : null, child];
    if (piece?.restFirst === false) bios.reverse();
    for (const next of bios) if (next !== null) await submitter.submitBio(next, task);
    if (!hasRest) {
      outcome.ends.set(own.path, (outcome.ends.get(own.path) ?? 0) + 1);
      bioEndio(bio);
    }
  };
  const devices = Array.from(
    { length: DEVICES },
    (_, index) => new TestDevice(`md${String(index)}`, drive),
  );
  const root = makeBio(plan, "x");
  let rootEnds = 0;
  root.endIo = () => {
    rootEnds += 1;
  };
  const task = scheduler.spawn("submitter", (self) => submitter.submitBio(root, self));
  await scheduler.advance(10_000);
  expect(rootEnds).toBe(1);
  expect(task.bioLists).toBeNull();
  expect(task.ownBioLists.isEmpty).toBe(true);
  expect(devices.map(({ queue }) => queue.users)).toEqual(devices.map(() => 0));
  return outcome;
}

describe("lower devices first", () => {
  it("starts bios in the order in which recursion would, without recursion (SUB-6)", async () => {
    await fc.assert(
      fc.asyncProperty(anyPlan, async (plan) => {
        const { calls, ends } = await carryOut(plan, {});
        expect(calls).toEqual(depthFirst(plan, "x"));
        expect([...ends.values()].every((count) => count === 1)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it("starts the same bios as first come, first served, only in another order", async () => {
    let differed = 0;
    await fc.assert(
      fc.asyncProperty(anyPlan, async (plan) => {
        const { calls } = await carryOut(plan, { lists: "single" });
        const recursive = depthFirst(plan, "x");
        if (calls.join() !== recursive.join()) differed += 1;
        expect([...calls].sort()).toEqual(recursive.sort());
      }),
      { numRuns: 200, seed: 7 },
    );
    expect(differed).toBeGreaterThan(0);
  });
});
