import { Memory, PerCpuAllocator } from "@blkstack/memory";
import { Rcu } from "@blkstack/io-group";
import { VirtualScheduler } from "@blkstack/task/virtual";
import fc from "fast-check";
import { expect, it } from "vitest";
import { GroupHeap } from "./group-heap.ts";
import { ThrottleGroup } from "./throttle-group.ts";

const scheduler = new VirtualScheduler();
const statsMemory = new PerCpuAllocator({ memory: new Memory({ scheduler }) });
const rcu = new Rcu(scheduler);

const groupOf = (index: number): ThrottleGroup =>
  new ThrottleGroup({ name: String(index), parent: null, rcu, statsMemory }, null, false);

it("whatever is placed and removed, the earliest is first, and of equals the one placed first", () => {
  const change = fc.record({ index: fc.nat(9), atMs: fc.option(fc.nat(5)) });
  fc.assert(
    fc.property(fc.array(change), (changes) => {
      const heap = new GroupHeap();
      const groups = Array.from({ length: 10 }, (_, index) => groupOf(index));
      let model: ThrottleGroup[] = [];
      for (const { index, atMs } of changes) {
        const group = groups[index];
        if (group === undefined) continue;
        model = model.filter((other) => other !== group);
        if (atMs === null) {
          heap.remove(group);
        } else {
          group.dispatchMs = atMs;
          heap.place(group);
          model = [...model, group].toSorted((a, b) => a.dispatchMs - b.dispatchMs);
        }
        expect(heap.first).toBe(model[0]);
      }
      expect(heap.inOrder()).toEqual(model);
    }),
  );
});
