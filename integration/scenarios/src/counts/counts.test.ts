import { describe, expect, it } from "vitest";
import { countProgram, programs } from "./counts.ts";

/** States, interleavings, failing ones; traces, failing ones. */
const EXPECTED: Readonly<Record<string, readonly (number | bigint)[]>> = {
  "mutex(3)": [20, 6n, 0n, 6, 0],
  "mutex(5)": [112, 120n, 0n, 120, 0],
  "mutex(6)": [256, 720n, 0n, 720, 0],
  "mutex+private(3)": [112, 5_382n, 0n, 6, 0],
  "mutex+private(4)": [512, 2_332_440n, 0n, 24, 0],
  "independent(3x3)": [64, 1_680n, 0n, 1, 0],
  "independent(4x3)": [256, 369_600n, 0n, 1, 0],
  "abba(2)": [19, 6n, 2n, 3, 1],
  "abba(3)": [56, 26n, 10n, 10, 4],
  "phil(2)": [19, 6n, 2n, 3, 1],
  "phil(3)": [87, 168n, 6n, 7, 1],
  "phil(4)": [391, 98_184n, 24n, 15, 1],
  "phil(5)": [1_743, 66_468_720n, 120n, 31, 1],
  "phil-ordered(3)": [72, 142n, 0n, 6, 0],
  "phil-ordered(4)": [320, 64_000n, 0n, 14, 0],
  "pool(n=2,k=2,m=2)": [19, 6n, 2n, 6, 2],
  "pool(n=3,k=2,m=3)": [99, 1_356n, 6n, 1_356, 6],
  "pool(n=3,k=2,m=3,fine)": [99, 1_356n, 6n, 612, 6],
  "pool(n=2,k=2,m=3)": [24, 34n, 0n, 34, 0],
  "pool(n=3,k=2,m=4,fine)": [118, 10_350n, 0n, 2_178, 0],
  "buffer(p=1,c=1,k=3,cap=2)": [21, 36n, 0n, 9, 0],
  "buffer(p=2,c=2,k=2,cap=1)": [87, 36n, 0n, 36, 0],
  "buffer(p=2,c=2,k=2,cap=2)": [181, 63_200n, 0n, 5_540, 0],
  "buffer(p=2,c=2,k=2,cap=2,fine)": [181, 63_200n, 0n, 2_072, 0],
  "rwlock(r=2,w=1)": [22, 14n, 0n, 4, 0],
  "rwlock(r=2,w=2)": [52, 48n, 0n, 18, 0],
  "rwlock(r=3,w=2)": [140, 768n, 0n, 54, 0],
  "rwlock(r=4,w=3)": [840, 99_504n, 0n, 1_536, 0],
  "lostWakeup(waiters=1)": [12, 5n, 1n, 3, 1],
  "lostWakeup(waiters=2)": [50, 82n, 30n, 13, 8],
  "lostWakeup(waiters=3)": [216, 4_212n, 1_896n, 85, 69],
  "prepareToWait(waiters=1)": [15, 8n, 0n, 4, 0],
  "prepareToWait(waiters=2)": [83, 456n, 0n, 66, 0],
  "counter(2)": [13, 6n, 4n, 4, 2],
  "counter(3)": [84, 90n, 84n, 36, 30],
  "counter(4)": [755, 2_520n, 2_496n, 576, 552],
  "readers(2)": [18, 30n, 0n, 4, 0],
  "readers(8)": [13_122, 1_389_404_016_000n, 0n, 256, 0],
  "lastzero(5)": [1_890, 3_487_880n, 0n, 64, 0],
  "lastzero(7)": [26_642, 70_962_676_400n, 0n, 320, 0],
  "orderedWq(3)": [49, 30n, 0n, 30, 0],
  "orderedWq(4)": [261, 336n, 0n, 336, 0],
  "bioSplit(n=2,k=2,m=2,bug)": [39, 44n, 2n, 8, 2],
  "bioSplit(n=2,k=2,m=2,rescuer)": [214, 13_518n, 0n, 110, 0],
  "bioSplit(n=3,k=2,m=3,bug)": [369, 318_606n, 6n, 1_566, 6],
  "bioSplit(n=2,k=2,m=1,submitFirst)": [33, 6n, 0n, 6, 0],
  "bioSplit(n=2,k=3,m=4,bug)": [216, 127_986n, 6n, 202, 6],
  "bioSplit(n=2,k=2,m=2,submitFirst)": [75, 1_608n, 0n, 78, 0],
  "bioSplit(n=1,k=2,m=1,bug)": [2, 1n, 1n, 1, 1],
  "snapshot(none)": [23, 8n, 2n, 4, 1],
  "snapshot(list0)": [23, 8n, 2n, 4, 1],
  "snapshot(both)": [38, 22n, 0n, 6, 0],
  "snapshot(depthFirst)": [22, 9n, 0n, 3, 0],
  "reclaimRecursion(hogs=1,pages=1,bug)": [16, 8n, 2n, 3, 1],
  "reclaimRecursion(hogs=1,pages=1,worker)": [16, 12n, 0n, 3, 0],
  "reclaimRecursion(hogs=2,pages=2,bug)": [48, 288n, 12n, 58, 4],
  "loopFs(hogs=1,bug)": [20, 12n, 6n, 3, 1],
  "loopFs(hogs=2,bug)": [57, 102n, 64n, 10, 4],
  "loopFs(hogs=1,noio)": [14, 10n, 0n, 3, 0],
};

const counted = programs.filter(({ name }) => name in EXPECTED);

describe("the schedules of", () => {
  it.each(counted.map((program) => [program.name, program] as const))(
    "%s are as many as the table says",
    { timeout: 60_000 },
    async (name, program) => {
      const row = await countProgram(program);
      const { states, interleavings, deadlocking, traces, deadTraces } = row;
      expect([states, interleavings, deadlocking, traces, deadTraces]).toEqual(EXPECTED[name]);
    },
  );

  it("every row of the table is a program", () => {
    expect(counted).toHaveLength(Object.keys(EXPECTED).length);
  });
});
