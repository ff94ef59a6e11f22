import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Bio, BioState } from "./bio.ts";
import { bioEndio, bioError, chainBio, isChained } from "./bio-chain.ts";
import { BioStatus } from "./status.ts";

interface Family {
  readonly parent: Bio;
  readonly ends: BioStatus[];
  readonly members: Record<"A" | "B" | "P", () => void>;
}

function family(statusOfA: BioStatus, statusOfB: BioStatus): Family {
  const ends: BioStatus[] = [];
  const [parent, a, b] = [new Bio(), new Bio(), new Bio()];
  parent.endIo = (bio) => void ends.push(bio.status);
  chainBio(a, parent);
  chainBio(b, parent);
  return {
    parent,
    ends,
    members: {
      A: () => {
        end(a, statusOfA);
      },
      B: () => {
        end(b, statusOfB);
      },
      P: () => {
        bioEndio(parent);
      },
    },
  };
}

function end(bio: Bio, status: BioStatus): void {
  if (status === BioStatus.Ok) bioEndio(bio);
  else bioError(bio, status);
}

function at(bios: readonly Bio[], index: number): Bio {
  const bio = bios[index];
  if (bio === undefined) throw new RangeError(`no bio ${String(index)}`);
  return bio;
}

describe("T1.3: a parent with two children", () => {
  it.each(["ABP", "APB", "BAP", "BPA", "PAB", "PBA"])(
    "ends once, after the last of them, with the error of one (%s)",
    (order) => {
      const { parent, ends, members } = family(BioStatus.IoError, BioStatus.Ok);
      expect(parent.remaining).toBe(3);
      let left = 3;
      for (const member of order) {
        expect(ends).toEqual([]);
        expect(parent.remaining).toBe(left);
        members[member as "A" | "B" | "P"]();
        left -= 1;
      }
      expect(ends).toEqual([BioStatus.IoError]);
    },
  );

  it.each([
    ["ABP", BioStatus.Timeout],
    ["BAP", BioStatus.IoError],
  ])("keeps the first of two errors (%s)", (order, status) => {
    const { ends, members } = family(BioStatus.Timeout, BioStatus.IoError);
    for (const member of order) members[member as "A" | "B" | "P"]();
    expect(ends).toEqual([status]);
  });
});

describe("T1.4: a chain of 100 000 bios", () => {
  it("ends without recursion, its root once and last", () => {
    let puts = 0;
    let rootEnds = 0;
    const pool = { label: "pool", release: () => void (puts += 1) };
    const bios = Array.from({ length: 100_000 }, () => new Bio(pool));
    const root = at(bios, bios.length - 1);
    root.endIo = () => void (rootEnds += 1);
    for (const [n, bio] of bios.entries()) {
      const next = bios[n + 1];
      if (next !== undefined) chainBio(bio, next);
    }
    for (const bio of bios.slice(1).reverse()) {
      bioEndio(bio);
    }
    expect(bios.slice(1).every(({ remaining }) => remaining === 1)).toBe(true);
    expect([rootEnds, puts]).toEqual([0, 0]);
    bioEndio(at(bios, 0));
    expect([rootEnds, puts]).toEqual([1, 99_999]);
  });
});

describe("T1.5: chaining", () => {
  it("a child that has an endIo of its own, or somebody's data, is refused", () => {
    const [withEndIo, withPrivate] = [new Bio(), new Bio()];
    withEndIo.endIo = () => undefined;
    withPrivate.private = {};
    for (const child of [withEndIo, withPrivate]) {
      expect(() => {
        chainBio(child, new Bio());
      }).toThrow("endIo of its own");
    }
  });

  it("to a parent that has ended is refused until it is reset", () => {
    const parent = new Bio();
    const first = new Bio();
    chainBio(first, parent);
    bioEndio(first);
    bioEndio(parent);
    expect([parent.state & BioState.Chain, parent.remaining]).toEqual([0, 0]);
    expect(() => {
      chainBio(new Bio(), parent);
    }).toThrow("was not reset");
    parent.reset();
    chainBio(new Bio(), parent);
    expect(parent.remaining).toBe(2);
  });

  it("is visible: a child knows its parent and that it is chained", () => {
    const [child, parent] = [new Bio(), new Bio()];
    expect(isChained(child)).toBe(false);
    chainBio(child, parent);
    expect([isChained(child), child.parent]).toEqual([true, parent]);
  });

  it("a member that ends twice is found out as soon as the count says so", () => {
    const { members } = family(BioStatus.Ok, BioStatus.Ok);
    const parent = new Bio();
    const child = new Bio();
    chainBio(child, parent);
    parent.remaining = 0;
    expect(() => {
      bioEndio(parent);
    }).toThrow("more often");
    members.P();
  });
});

describe("ending", () => {
  it("a bio that nobody waits for just ends, and a lone one ignores its count", () => {
    const bio = new Bio();
    bio.remaining = 0;
    let ends = 0;
    bioEndio(bio);
    bio.endIo = () => void (ends += 1);
    bioError(bio, BioStatus.NoSpace);
    expect([ends, bio.status]).toEqual([1, BioStatus.NoSpace]);
  });

  it("in any tree and order every root ends once, after its whole tree, with its first error", () => {
    const tree = fc.record({
      parents: fc.array(fc.nat(), { minLength: 1, maxLength: 20 }),
      failures: fc.array(fc.boolean(), { minLength: 21, maxLength: 21 }),
      order: fc.infiniteStream(fc.nat()),
    });
    fc.assert(
      fc.property(tree, ({ parents, failures, order }) => {
        const bios = [new Bio(), ...parents.map(() => new Bio())];
        const root = at(bios, 0);
        const parentOf = parents.map((parent, n) => parent % (n + 1));
        for (const [n, parent] of parentOf.entries()) {
          chainBio(at(bios, n + 1), at(bios, parent));
        }
        let rootEnds = 0;
        root.endIo = () => void (rootEnds += 1);
        const left = bios.map((_, n) => n);
        const model = createModel(parentOf);
        for (const pick of order) {
          expect(rootEnds).toBe(0);
          const [n = 0] = left.splice(pick % left.length, 1);
          const failure = failures[n] === true ? (((n % 9) + 1) as BioStatus) : BioStatus.Ok;
          // A driver that succeeded leaves the status of its bio alone.
          end(at(bios, n), failure);
          model.end(n, failure);
          if (left.length === 0) break;
        }
        expect([rootEnds, root.status]).toEqual([1, model.statusOf(0)]);
      }),
    );
  });
});

/** What should come of it, naively: look at the whole tree after every end. */
function createModel(parentOf: readonly number[]) {
  const statuses = new Map<number, BioStatus>();
  const isOwnPartOver = new Set<number>();
  const isOver = new Set<number>();
  const children = (n: number): number[] =>
    parentOf.flatMap((parent, index) => (parent === n ? [index + 1] : []));
  const settle = (n: number): void => {
    if (!isOwnPartOver.has(n) || !children(n).every((child) => isOver.has(child))) return;
    isOver.add(n);
    const parent = n === 0 ? undefined : parentOf[n - 1];
    if (parent === undefined) return;
    const status = statuses.get(n) ?? BioStatus.Ok;
    if ((statuses.get(parent) ?? BioStatus.Ok) === BioStatus.Ok) statuses.set(parent, status);
    settle(parent);
  };
  return {
    end(n: number, failure: BioStatus): void {
      if (failure !== BioStatus.Ok) statuses.set(n, failure);
      isOwnPartOver.add(n);
      settle(n);
    },
    statusOf: (n: number): BioStatus => statuses.get(n) ?? BioStatus.Ok,
  };
}
