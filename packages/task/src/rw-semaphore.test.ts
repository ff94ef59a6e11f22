import { InvariantError } from "@blkstack/bio";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RwSemaphore } from "./rw-semaphore.ts";
import { VirtualScheduler } from "./virtual.ts";

const DESK = { label: "desk", blockers: (): readonly object[] => [] };

describe("RwSemaphore", () => {
  it("readers read together, a writer waits for all of them, and later readers for the writer", async () => {
    const scheduler = new VirtualScheduler();
    const sem = new RwSemaphore("table");
    const story: string[] = [];
    const readers = ["r1", "r2"].map((name) =>
      scheduler.spawn(name, async (task) => {
        await sem.readLock(task);
        await scheduler.sleep(task, DESK);
        story.push(`${name} done`);
        sem.readUnlock(task);
      }),
    );
    const writer = scheduler.spawn("w", async (task) => {
      await sem.writeLock(task);
      story.push("w writes");
      expect(sem.blockers()).toEqual([writer]);
      sem.writeUnlock(task);
    });
    const late = ["r3", "r4"].map((name) =>
      scheduler.spawn(name, async (task) => {
        expect(sem.tryReadLock(task)).toBe(false);
        await sem.readLock(task);
        story.push(`${name} of ${String(sem.holders.length)}`);
        sem.readUnlock(task);
      }),
    );
    await scheduler.run();
    expect(sem.blockers()).toEqual(readers);
    expect(scheduler.sleepers()).toEqual([...readers, writer, ...late]);
    for (const reader of readers) scheduler.wake(reader);
    await scheduler.run();
    expect(story).toEqual(["r1 done", "r2 done", "w writes", "r3 of 2", "r4 of 1"]);
  });

  // T10.7
  it("a reader that reads again behind a waiting writer deadlocks with it", async () => {
    const scheduler = new VirtualScheduler();
    const sem = new RwSemaphore("table");
    const reader = scheduler.spawn("reader", async (task) => {
      await sem.readLock(task);
      await scheduler.sleep(task, DESK, 10);
      await sem.readLock(task);
    });
    const writer = scheduler.spawn("writer", (task) => sem.writeLock(task));
    await scheduler.advance(1000);
    expect(scheduler.sleepers()).toEqual([writer, reader]);
    expect(writer.blockers()).toEqual([sem]);
    expect(reader.blockers()).toEqual([sem]);
    expect(sem.blockers()).toEqual([reader]);
  });

  // T10.7
  it("without a writer a reader may read again", async () => {
    const scheduler = new VirtualScheduler();
    const sem = new RwSemaphore("table");
    await scheduler.perform("reader", async (task) => {
      await sem.readLock(task);
      await sem.readLock(task);
      expect(sem.holders).toEqual([task, task]);
      sem.readUnlock(task);
      expect(sem.tryWriteLock(task)).toBe(false);
      sem.readUnlock(task);
      expect(sem.tryWriteLock(task)).toBe(true);
      expect(sem.tryReadLock(task)).toBe(false);
    });
  });

  it("is fair: whoever must wait is let in by order of arrival, readers between two writers together", async () => {
    const arrivals = fc.array(fc.boolean(), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(arrivals, fc.integer(), async (writers, seed) => {
        const scheduler = new VirtualScheduler({ seed });
        const sem = new RwSemaphore("table");
        const arrived: number[] = [];
        const entered: number[] = [];
        let writing = 0;
        let reading = 0;
        const gate = scheduler.spawn("gate", async (task) => {
          await sem.writeLock(task);
          await scheduler.sleep(task, DESK);
          sem.writeUnlock(task);
        });
        await scheduler.run();
        for (const [index, isWriter] of writers.entries()) {
          arrived.push(index);
          scheduler.spawn(String(index), async (task) => {
            await (isWriter ? sem.writeLock(task) : sem.readLock(task));
            entered.push(index);
            if (isWriter) writing += 1;
            else reading += 1;
            expect(writing === 0 ? true : writing === 1 && reading === 0).toBe(true);
            await scheduler.mayPreempt(task, { object: DESK, mode: 0, label: "look" });
            if (isWriter) writing -= 1;
            else reading -= 1;
            if (isWriter) sem.writeUnlock(task);
            else sem.readUnlock(task);
          });
          await scheduler.run();
        }
        scheduler.wake(gate);
        await scheduler.run();
        // Readers of one batch may run in any order; the batches may not.
        expect(batches(entered, writers)).toEqual(batches(arrived, writers));
      }),
    );
  });

  it("nobody unlocks what it does not hold", async () => {
    const scheduler = new VirtualScheduler();
    const sem = new RwSemaphore("table");
    await scheduler.perform("a", (task) => {
      expect(() => {
        sem.readUnlock(task);
      }).toThrow(InvariantError);
      expect(() => {
        sem.writeUnlock(task);
      }).toThrow(InvariantError);
    });
  });
});

function batches(order: readonly number[], writers: readonly boolean[]): number[][] {
  const result: number[][] = [[]];
  for (const index of order) {
    if (writers[index] === true) result.push([index], []);
    else result.at(-1)?.push(index);
  }
  return result.map((batch) => batch.sort((a, b) => a - b));
}
