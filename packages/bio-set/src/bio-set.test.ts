import {
  Bio,
  BIO_INLINE_VECS,
  BIO_MAX_VECS,
  BioList,
  BioOp,
  InvariantError,
  PAGE_BYTES,
  SECTOR_BYTES,
} from "@blkstack/bio";
import { allFail, failsAt, failsTheNth, failsWithoutWaiting, Memory } from "@blkstack/memory";
import { OutOfMemoryError } from "@blkstack/mempool";
import { GFP_ATOMIC, GFP_NOIO, GFP_NOWAIT, SleepInAtomicError, type Task } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Stack } from "../test/stack.ts";
import { BioSet } from "./bio-set.ts";
import { bioBytes, tableBytes } from "./element-bytes.ts";
import { HeapBios } from "./heap-bios.ts";

const inTask = <T>(stack: Stack, body: (task: Task) => T | Promise<T>): Promise<T> =>
  stack.scheduler.perform("task", body);

/** A bio that must be there at once. */
async function take(set: BioSet, vecCount: number, task: Task, gfp = GFP_NOWAIT): Promise<Bio> {
  const bio = await set.alloc(gfp, vecCount, task);
  if (bio === null) throw new Error(`${set.label} has no bio`);
  return bio;
}

describe("a bio of a set", () => {
  it("has room for the vectors that were asked for, inline if they are few", async () => {
    const stack = new Stack("two");
    const set = stack.set("S", 2, { needBvecs: true });
    const rooms: number[] = [];
    await inTask(stack, async (task) => {
      for (const vecCount of [0, 1, 4, 5, 16, 17, 64, 65, 128, 129, 256]) {
        const bio = await take(set, vecCount, task);
        rooms.push(bio.vecMax);
        expect(bio.vecs.length).toBeGreaterThanOrEqual(bio.vecMax);
        expect(bio.vecs === bio.inlineVecs).toBe(vecCount <= BIO_INLINE_VECS);
        bio.put();
      }
      // Who may wait is given no more either, while there is memory.
      const patient = await take(set, 5, task, GFP_NOIO);
      expect(patient.vecMax).toBe(16);
      patient.put();
      expect(await set.alloc(GFP_NOIO, BIO_MAX_VECS + 1, task)).toBeNull();
    });
    expect(rooms).toEqual([0, 4, 4, 16, 16, 64, 64, 128, 128, 256, 256]);
    stack.assertQuiet();
  });

  it("has no vectors where the set was made without", async () => {
    const stack = new Stack("two");
    const set = stack.set("S", 1);
    await inTask(stack, async (task) => {
      expect(await set.alloc(GFP_NOIO, 1, task)).toBeNull();
      const bio = await take(set, 0, task);
      expect(bio.vecMax).toBe(0);
      bio.put();
      await set.destroy(task);
    });
    expect(stack.scheduler.warnings).toEqual(['bio_set "S" has no vectors, and was asked for 1']);
  });

  it("comes back as new, but for its pad, under another number", async () => {
    const stack = new Stack("two");
    const set = stack.set("S", 1, { needBvecs: true, frontPad: () => ({ uses: 0 }) });
    await inTask(stack, async (task) => {
      for (let use = 0; use < 3; use += 1) {
        const bio = await take(set, 2, task);
        expect(bio).toMatchObject({
          pool: set,
          serial: use + 1,
          state: 0,
          references: 1,
          status: 0,
        });
        expect(bio).toMatchObject({ endIo: null, device: null, vecCount: 0, sizeBytes: 0 });
        const pad = bio.pad as { uses: number };
        expect(pad.uses).toBe(use);
        pad.uses += 1;
        bio.get();
        bio.device = stack.disk;
        bio.endIo = () => undefined;
        bio.addPage({ bytes: new Uint8Array(4096), frame: 0 }, 4096, 0);
        bio.put();
        expect(set.bioPool.liveCount).toBe(1);
        bio.put();
      }
    });
    stack.assertQuiet();
  });

  it("is refused when it is given back twice, while it is listed, or to a stranger", async () => {
    const stack = new Stack("two");
    const [set, other] = [stack.set("S", 1), stack.set("T", 1)];
    await inTask(stack, async (task) => {
      const bio = await take(set, 0, task);
      expect(() => {
        other.release(bio);
      }).toThrow("not a bio of this set");
      const list = new BioList();
      list.add(bio);
      expect(() => {
        bio.put();
      }).toThrow('use after free: bio 1 of bio_set "S" is put while on a list');
      list.pop();
      bio.put();
      expect(() => {
        bio.put();
      }).toThrow('double free: bio 1 of bio_set "S"');
    });
  });

  it("is no promise when there is one, and its set then tracks nobody", async () => {
    const stack = new Stack("two", { isExploring: false });
    const set = stack.set("S", 1, { needBvecs: true });
    await inTask(stack, (task) => {
      for (const vecCount of [0, 4, 100]) {
        expect(set.alloc(GFP_NOIO, vecCount, task)).toBeInstanceOf(Bio);
      }
      // Nor with bios parked, which only matter to who has to wait.
      task.bioLists = task.ownBioLists;
      task.bioLists.current.add(new Bio());
      expect(set.alloc(GFP_NOIO, 100, task)).toBeInstanceOf(Bio);
      task.bioLists.current.pop();
      task.bioLists = null;
    });
    expect(set.blockers()).toEqual([]);
  });

  it("cannot be waited for in an endIo or under a spinlock, even when one is there", async () => {
    const stack = new Stack("two");
    const set = stack.set("S", 1);
    await inTask(stack, (task) => {
      task.atomicDepth = 1;
      task.bioLists = task.ownBioLists;
      task.bioLists.older.add(new Bio());
      expect(() => set.alloc(GFP_NOIO, 0, task)).toThrow(SleepInAtomicError);
      expect(set.alloc(GFP_ATOMIC, 0, task)).toBeInstanceOf(Bio);
      task.bioLists.older.pop();
      task.bioLists = null;
      task.atomicDepth = 0;
    });
  });
});

describe("vectors without memory", () => {
  it("come from the large reserve for who may wait, and go back there", async () => {
    const stack = new Stack("two");
    const set = stack.set("S", 1, { needBvecs: true });
    stack.memory.faultPlan = failsAt(["bvec-16 of S", "bvec-256 of S"]);
    await inTask(stack, async (task) => {
      expect(await set.alloc(GFP_NOWAIT, 5, task)).toBeNull();
      const bio = await take(set, 5, task, GFP_NOIO);
      expect(bio.vecMax).toBe(256);
      expect(set.bvecPool?.pool.currNr).toBe(0);
      expect(set.bvecPool?.pool.blockers()[0]).toMatchObject({ holder: bio });
      bio.put();
      expect(set.bvecPool?.pool.currNr).toBe(1);
      expect((await take(set, 200, task)).vecMax).toBe(256);
    });
  });

  it("leave no bio behind for who may not wait", async () => {
    const stack = new Stack("two");
    const set = stack.set("S", 1, { needBvecs: true });
    await inTask(stack, async (task) => {
      const large = await take(set, 256, task);
      const small = await take(set, 0, task);
      stack.memory.faultPlan = allFail;
      expect(set.alloc(GFP_NOWAIT, 5, task)).toBeNull();
      large.put();
      small.put();
    });
    stack.assertQuiet();
  });
});

describe("a small table of vectors", () => {
  it("is looked for without waiting: who may wait has the reserve of large ones", async () => {
    const stack = new Stack("two");
    const set = stack.set("S", 1, { needBvecs: true });
    stack.memory.faultPlan = failsWithoutWaiting;
    await inTask(stack, async (task) => {
      expect((await take(set, 5, task, GFP_NOIO)).vecMax).toBe(BIO_MAX_VECS);
    });
  });
});

describe("a bio that is cut", () => {
  const original = (stack: Stack): Bio => {
    const bio = new Bio();
    bio.device = stack.disk;
    bio.sector = 100;
    bio.vecMax = 3;
    bio.vecs = [4096, 4096, 2048].map((length, frame) => ({
      page: { bytes: new Uint8Array(4096), frame },
      offset: 0,
      length,
    }));
    bio.sizeBytes = 10_240;
    return bio;
  };
  const iterator = ({ sector, sizeBytes, vecIndex, vecDoneBytes }: Bio): number[] => [
    sector,
    sizeBytes,
    vecIndex,
    vecDoneBytes,
  ];

  it("leaves its first sectors to a bio of the set, and keeps the rest (T1.2)", async () => {
    const stack = new Stack("two");
    const set = stack.set("S", 1);
    await inTask(stack, async (task) => {
      const bio = original(stack);
      const front = await set.split(bio, 7, GFP_NOIO, task);
      expect(front?.pool).toBe(set);
      expect(iterator(front ?? bio)).toEqual([100, 3584, 0, 0]);
      expect(iterator(bio)).toEqual([107, 6656, 0, 3584]);
      expect([front?.endIo, front?.vecMax, front?.vecs]).toEqual([null, 0, bio.vecs]);
      front?.put();
      expect(bio.vecs).toHaveLength(3);
    });
    stack.assertQuiet();
  });

  it("is untouched when there is no bio without waiting (T1.2)", async () => {
    const stack = new Stack("two");
    const set = stack.set("S", 1);
    await inTask(stack, async (task) => {
      stack.memory.faultPlan = allFail;
      await take(set, 0, task);
      const bio = original(stack);
      const before = [Object.entries(bio), structuredClone(bio.vecs)];
      expect(await set.split(bio, 7, GFP_NOWAIT, task)).toBeNull();
      expect(await set.clone(bio, GFP_NOWAIT, task)).toBeNull();
      expect([Object.entries(bio), bio.vecs]).toEqual(before);
    });
  });

  it("must leave something on both sides, and must not be a zone append", async () => {
    const stack = new Stack("two");
    const set = stack.set("S", 1);
    await inTask(stack, async (task) => {
      const bio = original(stack);
      for (const sectors of [0, 20, 21]) {
        expect(() => set.split(bio, sectors, GFP_NOIO, task)).toThrow("split of");
      }
      bio.op = BioOp.ZoneAppend;
      expect(await set.split(bio, 7, GFP_NOIO, task)).toBeNull();
      expect(stack.scheduler.warnings).toEqual(["a zone append cannot be split"]);
    });
    stack.assertQuiet();
  });

  it("piece by piece, as long as it is too long, is all there (BIO-5)", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 25 }), async (pieceSectors) => {
        const stack = new Stack("two", { seed: pieceSectors });
        const set = stack.set("S", 1);
        await inTask(stack, async (task) => {
          const bio = original(stack);
          let sector = bio.sector;
          let pieces = 0;
          for (;;) {
            const piece = await set.nextSplit(bio, pieceSectors, GFP_NOIO, task);
            expect(piece?.sector).toBe(sector);
            sector += piece?.sectors ?? 0;
            pieces += 1;
            if (piece === bio) break;
            expect(piece?.sizeBytes).toBe(pieceSectors * SECTOR_BYTES);
            piece?.put();
          }
          expect([sector, pieces]).toEqual([120, Math.ceil(20 / pieceSectors)]);
        });
        stack.assertQuiet();
      }),
      { numRuns: 25 },
    );
  });

  it("or cloned shares its vectors with a clone that is its own bio", async () => {
    const stack = new Stack("two");
    const set = stack.set("S", 1, { needBvecs: true });
    await inTask(stack, async (task) => {
      const bio = original(stack);
      bio.endIo = () => undefined;
      const clone = await set.clone(bio, GFP_NOIO, task);
      expect(clone).toMatchObject({ sector: 100, sizeBytes: 10_240, endIo: null, vecMax: 0 });
      expect(clone?.vecs).toBe(bio.vecs);
      expect(clone?.addPage({ bytes: new Uint8Array(4096), frame: 9 }, 512, 0)).toBe(0);
      clone?.put();
      const next = await take(set, 4, task);
      expect(next.vecs).toBe(next.inlineVecs);
      expect(bio.vecs[0]?.length).toBe(4096);
    });
  });
});

describe("a set", () => {
  it("that finds no memory for a reserve is not made, and says ENOMEM", () => {
    const scheduler = new VirtualScheduler();
    for (const site of ["bios of S", "bvec-256 of S"]) {
      const memory = new Memory({ scheduler, faultPlan: failsAt([site], failsTheNth(2)) });
      const options = { name: "S", scheduler, memory, poolSize: 2, needBvecs: true };
      expect(() => new BioSet(options)).toThrow(
        expect.objectContaining({
          name: "BlockError",
          code: "BLK_STATE",
          errno: "ENOMEM",
          cause: expect.any(OutOfMemoryError) as Error,
        }) as Error,
      );
    }
  });

  it("without a reserve is a mistake of who makes it, and no want of memory", () => {
    const scheduler = new VirtualScheduler();
    const memory = new Memory({ scheduler });
    expect(() => new BioSet({ name: "S", scheduler, memory, poolSize: 0 })).toThrow(InvariantError);
  });

  it("with a rescuer must know the way down", () => {
    const scheduler = new VirtualScheduler();
    const memory = new Memory({ scheduler });
    const options = { name: "S", scheduler, memory, poolSize: 1, rescuer: true };
    expect(() => new BioSet(options)).toThrow("without a way down");
  });

  it("without a rescuer ends at once", async () => {
    const stack = new Stack("two");
    const set = stack.set("S", 1, { rescuer: false, needBvecs: true });
    await inTask(stack, (task) => {
      expect(set.destroy(task)).toBeUndefined();
      expect(() => set.alloc(GFP_NOWAIT, 0, task)).toThrow("use after free");
    });
    expect(stack.scheduler.warnings).toEqual([]);
  });
});

describe("where pages are counted", () => {
  const pages = { totalPages: 1000, minPages: 0 };

  it("the reserves of a set take theirs, and the end of the set gives them back", async () => {
    const scheduler = new VirtualScheduler();
    const memory = new Memory({ scheduler, pages });
    const set = new BioSet({ name: "S", scheduler, memory, poolSize: 16, needBvecs: true });
    const takenPages = memory.totalPages - memory.freePages;
    // A table for 256 vectors is three pages and a half.
    expect(takenPages).toBeGreaterThanOrEqual(16 * 3.5);
    expect(takenPages).toBeLessThan(16 * 4 + 4);
    expect([...memory.reserves].map(({ label, currNr }) => [label, currNr])).toEqual([
      ['bio_set "S"', 16],
      ['bvecs of bio_set "S"', 16],
    ]);
    await scheduler.perform("task", async (task) => {
      for (const vecs of [0, 5, 65, 200]) (await take(set, vecs, task)).put();
      await set.destroy(task);
    });
    expect(memory.freePages).toBe(1000);
    expect(memory.reserves.size).toBe(0);
  });

  it("a bio takes more with vectors of its own, and more with what a driver keeps with it", () => {
    const pagesOf = (options: { frontPad?: () => object }): number => {
      const scheduler = new VirtualScheduler();
      const memory = new Memory({ scheduler, pages });
      const set = new BioSet({ name: "S", scheduler, memory, poolSize: 160, ...options });
      expect(set.bioPool.currNr).toBe(160);
      return memory.totalPages - memory.freePages;
    };
    const pagesFor = (bytes: number): number => Math.ceil(bytes / PAGE_BYTES);
    expect(pagesOf({})).toBe(pagesFor(160 * bioBytes(0, false)));
    expect(pagesOf({ frontPad: () => ({}) })).toBe(pagesFor(160 * bioBytes(0, true)));
    const vecBytes = tableBytes(1) - tableBytes(0);
    expect(bioBytes(4, false) - bioBytes(0, false)).toBe(4 * vecBytes);
    expect(bioBytes(4, true)).toBeGreaterThan(bioBytes(4, false));
  });

  it("and none are left, bios come from the reserve, one after the other without end", async () => {
    const scheduler = new VirtualScheduler();
    const memory = new Memory({ scheduler, pages });
    const set = new BioSet({ name: "S", scheduler, memory, poolSize: 2, needBvecs: true });
    memory.tryTakePages(memory.freePages, GFP_NOWAIT, "hog");
    const done: string[] = [];
    for (const name of ["alice", "bob", "carol"]) {
      scheduler.spawn(name, async (task) => {
        for (let n = 0; n < 100; n += 1) {
          const bio = await take(set, 256, task, GFP_NOIO);
          await scheduler.sleep(task, { label: "the device", blockers: () => [] }, 1);
          bio.put();
        }
        done.push(name);
      });
    }
    // Each has two of three milliseconds; who sleeps is woken, and need not wait for a retry.
    await scheduler.advance(200);
    expect(done.sort()).toEqual(["alice", "bob", "carol"]);
    const [bios] = memory.reserves;
    // The page of the reserve has room for some more bios, but not for their tables.
    expect(bios?.currNr).toBe(2);
    expect(set.bvecPool?.pool).toMatchObject({ currNr: 2, lowestNr: 0, fromReserve: 300 });
    expect(set.bvecPool?.pool.waits).toBeGreaterThan(0);
  });
});

describe("a bio from the heap", () => {
  it("has up to 1024 vectors, may not be there, and goes nowhere", async () => {
    const stack = new Stack("two");
    const heap = new HeapBios(stack.memory);
    await inTask(stack, (task) => {
      for (const vecCount of [0, 4, 5, 1024]) {
        const bio = heap.alloc(GFP_NOIO, vecCount, task);
        expect(bio).toMatchObject({ pool: null, vecMax: vecCount });
        expect(bio?.vecs).toHaveLength(vecCount);
        expect(bio?.inlineVecs).toEqual(vecCount <= BIO_INLINE_VECS ? bio?.vecs : []);
        bio?.put();
      }
      expect(heap.alloc(GFP_NOIO, 1025, task)).toBeNull();
      stack.memory.faultPlan = failsAt(["heap bios"]);
      expect(heap.alloc(GFP_NOIO, 1, task)).toBeNull();
    });
  });
});
