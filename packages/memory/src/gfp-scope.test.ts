import { effectiveGfp, GFP_KERNEL, GFP_NOFS, GFP_NOIO, type Task } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { describe, expect, it } from "vitest";
import { restoreNoFs, restoreNoIo, saveNoFs, saveNoIo, withNoFs, withNoIo } from "./gfp-scope.ts";

const inTask = (body: (task: Task) => void | Promise<void>): Promise<void> =>
  new VirtualScheduler().perform("task", body);

const left = (task: Task): number => effectiveGfp(GFP_KERNEL, task.gfpScope);

describe("the scopes of a task", () => {
  it("take I/O and filesystem from every mask, or the filesystem only", async () => {
    await inTask((task) => {
      const saved = saveNoFs(task);
      expect(left(task)).toBe(GFP_NOFS);
      restoreNoFs(task, saved);
      expect(left(task)).toBe(GFP_KERNEL);
      restoreNoIo(task, saveNoIo(task));
      expect(left(task)).toBe(GFP_KERNEL);
    });
  });

  it("nest: an inner one that ends leaves the outer one in force", async () => {
    await inTask((task) => {
      const outer = saveNoIo(task);
      const other = saveNoFs(task);
      const inner = saveNoIo(task);
      restoreNoIo(task, inner);
      expect(left(task)).toBe(GFP_NOIO);
      restoreNoIo(task, outer);
      expect(left(task)).toBe(GFP_NOFS);
      restoreNoFs(task, other);
      expect(task.gfpScope).toBe(0);
    });
  });

  it("end with the work that they were opened for, whether it waits, answers or throws", async () => {
    await inTask(async (task) => {
      expect(withNoFs(task, () => left(task))).toBe(GFP_NOFS);
      expect(() =>
        withNoIo(task, () => {
          throw new Error("no");
        }),
      ).toThrow("no");
      expect(task.gfpScope).toBe(0);
      const afterWaiting = withNoIo(task, async () => {
        await Promise.resolve();
        return left(task);
      });
      expect(left(task)).toBe(GFP_NOIO);
      expect(await afterWaiting).toBe(GFP_NOIO);
      expect(task.gfpScope).toBe(0);
    });
  });
});
