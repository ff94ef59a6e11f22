import {
  effectiveGfp,
  GFP_KERNEL,
  GFP_NOFS,
  GFP_NOIO,
  GFP_NOWAIT,
  type Task,
} from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import fc from "fast-check";
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

  it("are told of when an outer one ends before an inner one of its kind", async () => {
    await inTask((task) => {
      const outer = saveNoFs(task);
      const inner = saveNoFs(task);
      expect(() => {
        restoreNoFs(task, outer);
      }).toThrow("task ends an outer nofs scope before an inner one");
      restoreNoFs(task, inner);
      restoreNoFs(task, outer);
      expect(() => {
        restoreNoIo(task, 0);
      }).toThrow("task ends a noio scope that it did not open");
    });
  });

  it("of different kinds may end in any order", async () => {
    await inTask((task) => {
      const noFs = saveNoFs(task);
      const noIo = saveNoIo(task);
      restoreNoFs(task, noFs);
      expect(left(task)).toBe(GFP_NOIO);
      restoreNoIo(task, noIo);
      expect(task.gfpScope).toBe(0);
    });
  });

  it("must not outlive their task", async () => {
    const leaking = inTask((task) => {
      saveNoIo(task);
    });
    await expect(leaking).rejects.toThrow("task left a noio or nofs scope without ending it");
  });

  it("leave nothing to take from a mask that allows nothing, and noio wins over a nofs mask", async () => {
    await inTask((task) => {
      const saved = saveNoIo(task);
      expect(effectiveGfp(GFP_NOWAIT, task.gfpScope)).toBe(GFP_NOWAIT);
      expect(effectiveGfp(GFP_NOFS, task.gfpScope)).toBe(GFP_NOIO);
      restoreNoIo(task, saved);
    });
  });

  it("never add to a mask, and are as they were after any balanced use of them", async () => {
    const mask = fc.integer({ min: 0, max: 0xff });
    const kinds = fc.array(fc.boolean(), { maxLength: 6 });
    await inTask((task) => {
      fc.assert(
        fc.property(mask, kinds, fc.boolean(), (gfp, nested, throws) => {
          const enter = (depth: number): number => {
            const leftOfIt = effectiveGfp(gfp, task.gfpScope);
            expect(leftOfIt & ~gfp).toBe(0);
            if (depth === nested.length) {
              if (throws) throw new Error("no memory");
              return depth;
            }
            const scope = task.gfpScope;
            const into = nested[depth] === true ? withNoIo : withNoFs;
            try {
              expect(into(task, () => enter(depth + 1))).toBe(depth + 1);
              return depth;
            } finally {
              expect(task.gfpScope).toBe(scope);
            }
          };
          if (throws) expect(() => enter(0)).toThrow("no memory");
          else expect(enter(0)).toBe(0);
          expect(task.gfpScope).toBe(0);
        }),
      );
    });
  });
});
