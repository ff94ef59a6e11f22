import { describe, expect, it } from "vitest";
import { Timer } from "./timer.ts";
import { VirtualScheduler } from "./virtual.ts";

describe("Timer", () => {
  it("fires once, in interrupt context, when its delay is over", async () => {
    const scheduler = new VirtualScheduler();
    const fired: [number, boolean][] = [];
    const timer = new Timer(scheduler, "dispatch", () => {
      fired.push([scheduler.clock.nowMs(), scheduler.inInterrupt]);
    });
    timer.arm(10);
    expect(timer.isArmed).toBe(true);
    await scheduler.advance(100);
    expect(fired).toEqual([[1010, true]]);
    expect(timer.isArmed).toBe(false);
    expect(timer.cancel()).toBe(false);
  });

  it("armed again it fires at the later time only, also when it arms itself", async () => {
    const scheduler = new VirtualScheduler();
    const fired: number[] = [];
    const timer = new Timer(scheduler, "tick", () => {
      fired.push(scheduler.clock.nowMs());
      if (fired.length < 3) timer.arm(5);
    });
    timer.arm(10);
    timer.arm(20);
    await scheduler.advance(100);
    expect(fired).toEqual([1020, 1025, 1030]);
  });

  it("cancelled in time it never fires", async () => {
    const scheduler = new VirtualScheduler();
    const fired: number[] = [];
    const timer = new Timer(scheduler, "tick", () => void fired.push(1), true);
    timer.arm(10);
    expect(timer.cancel()).toBe(true);
    await scheduler.advance(100);
    expect(fired).toEqual([]);
    expect(timer.isRetry).toBe(true);
    expect(timer.blockers()).toEqual([]);
    expect(timer.label).toBe('timer "tick"');
  });
});
