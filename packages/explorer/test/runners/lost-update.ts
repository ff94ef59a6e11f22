// Run by `node --test`: one test that passes, and one that fails with a story.
import { test } from "node:test";
import { exploreTest } from "../../src/index.ts";
import { Mutex } from "@blkstack/task";

for (const isLocked of [true, false]) {
  void test(
    isLocked ? "a lock keeps both updates" : "without one an update is lost",
    exploreTest(() => {
      const lock = new Mutex("balance");
      const balance = { label: "balance" };
      let amount = 0;
      const deposit = async (task: Parameters<typeof lock.lock>[0]): Promise<void> => {
        if (isLocked) await lock.lock(task);
        const before = amount;
        await task.scheduler.mayPreempt(task, { object: balance, mode: 1, label: "deposit" });
        amount = before + 1;
        if (isLocked) lock.unlock(task);
      };
      return {
        tasks: { alice: deposit, bob: deposit },
        check() {
          if (amount !== 2) throw new Error(`${String(amount)} of 2`);
          return undefined;
        },
      };
    }),
  );
}
