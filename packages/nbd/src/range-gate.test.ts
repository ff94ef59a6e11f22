import { VirtualScheduler } from "@blkstack/task/virtual";
import { describe, expect, it } from "vitest";
import { RangeGate, type RangeHold } from "./range-gate.ts";

function range(beginBytes: number, endBytes: number, isExclusive = false): RangeHold {
  return { beginBytes, endBytes, isExclusive, previousHold: null, nextHold: null };
}

describe("the gate of changes", () => {
  it("lets plain writes pass each other", () => {
    const gate = new RangeGate("gate");
    expect(gate.tryEnter(range(0, 1024))).toBe(true);
    expect(gate.tryEnter(range(512, 2048))).toBe(true);
  });

  it("keeps an exclusive range from those that overlap it, and from no others", () => {
    const gate = new RangeGate("gate");
    const exclusive = range(512, 1024, true);
    expect(gate.tryEnter(exclusive)).toBe(true);
    expect(gate.tryEnter(range(1024, 2048))).toBe(true);
    expect(gate.tryEnter(range(0, 513))).toBe(false);
    expect(gate.tryEnter(range(1023, 1536, true))).toBe(false);
    gate.leave(exclusive);
    expect(gate.tryEnter(range(0, 513))).toBe(true);
  });

  it("lets in, in order, who waits: a later write does not overtake a waiting exclusive one", async () => {
    const scheduler = new VirtualScheduler();
    const gate = new RangeGate("gate");
    const story: string[] = [];
    const holder = range(0, 512);
    gate.tryEnter(holder);
    const late = range(0, 512);
    const entering = [
      { name: "exclusive", hold: range(0, 512, true) },
      { name: "late", hold: late },
    ];
    for (const { name, hold } of entering) {
      scheduler.spawn(name, async (task) => {
        await gate.enter(hold, task);
        story.push(name);
        gate.leave(hold);
      });
    }
    await scheduler.run();
    expect(story).toEqual([]);
    gate.leave(holder);
    await scheduler.run();
    expect(story).toEqual(["exclusive", "late"]);
    expect(gate.blockers()).toEqual([]);
  });
});
