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

it.each([1, 100, 10_000])(
  "to put one of %i groups where it belongs looks at few of them on each level of the tree",
  (count) => {
    const heap = new GroupHeap();
    let looks = 0;
    const groups = Array.from({ length: count }, (_, index) => {
      const group = groupOf(index);
      let atMs = (index * 7919) % count;
      Object.defineProperty(group, "dispatchMs", {
        get: () => {
          looks += 1;
          return atMs;
        },
        set: (ms: number) => {
          atMs = ms;
        },
      });
      heap.place(group);
      return group;
    });
    looks = 0;
    for (let round = 0; round < 100; round += 1) {
      const group = heap.first;
      if (group === undefined) throw new Error("the heap is empty");
      group.dispatchMs = count + round;
      heap.place(group);
    }
    // A comparison looks at two or four; two on each level down, one on each up.
    const levels = Math.floor(Math.log2(groups.length)) + 1;
    expect(looks / 100).toBeLessThanOrEqual(12 * levels);
  },
);
