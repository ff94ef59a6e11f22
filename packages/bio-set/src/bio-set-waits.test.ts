import { Bio, BIO_INLINE_VECS, BIO_MAX_VECS } from "@blkstack/bio";
import { allFail } from "@blkstack/memory";
import { GFP_NOIO, GFP_NOWAIT, type Waitable, WorkQueue } from "@blkstack/task";
import { describe, expect, it } from "vitest";
import { Stack } from "../test/stack.ts";
import type { BioSet } from "./bio-set.ts";

/** A set whose only bio and only table are in use, and no memory; `put` gives them back. */
async function usedUp(): Promise<{ stack: Stack; set: BioSet; held: Bio }> {
  const stack = new Stack("two");
  const set = stack.set("S", 1, { needBvecs: true });
  stack.memory.faultPlan = allFail;
  const held = await stack.scheduler.perform("holder", (task) =>
    set.alloc(GFP_NOWAIT, BIO_MAX_VECS, task),
  );
  if (held === null) throw new Error("no bio");
  return { stack, set, held };
}

/** What a task gets that waits for it until `held` is given back. */
async function afterWait(
  { stack, held }: { stack: Stack; held: Bio },
  ask: Parameters<typeof stack.scheduler.spawn>[1],
): Promise<void> {
  stack.scheduler.spawn("waiter", ask);
  await stack.scheduler.run();
  held.put();
  await stack.scheduler.run();
  expect(stack.scheduler.sleepers()).toEqual([]);
}

describe("a bio that was waited for", () => {
  it.each([
    [0, 0],
    [1, BIO_INLINE_VECS],
    [BIO_INLINE_VECS, BIO_INLINE_VECS],
    [BIO_INLINE_VECS + 1, BIO_MAX_VECS],
  ])("when %d vectors were asked for has room for %d", async (vecCount, vecMax) => {
    const system = await usedUp();
    let bio: Bio | null = null as Bio | null;
    await afterWait(system, async (task) => {
      bio = await system.set.alloc(GFP_NOIO, vecCount, task);
    });
    expect(bio?.vecMax).toBe(vecMax);
    expect(bio?.vecs === bio?.inlineVecs).toBe(vecCount <= BIO_INLINE_VECS);
    expect(system.set.bvecPool?.pool.liveCount).toBe(vecCount <= BIO_INLINE_VECS ? 0 : 1);
  });

  it("becomes a clone as one that was there", async () => {
    const system = await usedUp();
    const original = new Bio();
    original.sector = 8;
    let clone: Bio | null = null as Bio | null;
    await afterWait(system, async (task) => {
      clone = await system.set.clone(original, GFP_NOIO, task);
    });
    expect(clone).toMatchObject({ pool: system.set, sector: 8, endIo: null });
    expect(clone?.vecs).toBe(original.vecs);
  });
});

describe("who waits for vectors", () => {
  it("waits for the tables that are in use, and so for the bios that use them", async () => {
    const stack = new Stack("two");
    const set = stack.set("S", 2, { needBvecs: true });
    stack.memory.faultPlan = allFail;
    const held: Bio[] = [];
    await stack.scheduler.perform("holder", async (task) => {
      for (const vecCount of [BIO_MAX_VECS, BIO_MAX_VECS]) {
        const bio = await set.alloc(GFP_NOWAIT, vecCount, task);
        if (bio !== null) held.push(bio);
      }
    });
    stack.memory.faultPlan = null;
    const [table, other] = (set.bvecPool?.pool.blockers() ?? []) as Waitable[];
    expect(table).toMatchObject({ label: "table of vectors", endsBy: "any" });
    expect([table?.blockers(), other?.blockers()]).toEqual([[held[0]], [held[1]]]);
    held[0]?.put();
    expect([table?.blockers(), table?.endsBy]).toEqual([[], undefined]);
    expect(set.bvecPool?.pool.blockers()).toEqual([other]);
  });
});

describe("the end of a set with a rescuer", () => {
  it("is the end of its pools, once the rescuer has stopped", async () => {
    const stack = new Stack("two");
    const set = stack.set("S", 1, { needBvecs: true });
    await stack.scheduler.perform("owner", async (task) => {
      await set.destroy(task);
      expect(() => set.alloc(GFP_NOWAIT, 0, task)).toThrow("use after free");
    });
    expect(stack.memory.reserves.size).toBe(0);
  });

  it("is the end of the rescuer's own queue, but of no queue that it shares", async () => {
    const stack = new Stack("two");
    const { scheduler } = stack;
    const shared = new WorkQueue({ scheduler, name: "shared", reclaimGuaranteed: true });
    const [alone, sharing] = [stack.set("S", 1), stack.set("T", 1, { rescueQueue: shared })];
    await scheduler.perform("owner", async (task) => {
      await alone.destroy(task);
      await sharing.destroy(task);
      expect(() => alone.rescuer?.queue(task)).toThrow(/use after free: .*rescue of bio_set "S"/);
      sharing.rescuer?.queue(task);
    });
    expect(sharing.rescueWork?.isPending).toBe(false);
  });
});
