import { VirtualScheduler } from "@blkstack/task/virtual";
import { beforeEach, describe, expect, it } from "vitest";
import { Throttle } from "./throttle.ts";

let scheduler: VirtualScheduler;

beforeEach(() => {
  scheduler = new VirtualScheduler();
});

/** Has somebody ask to begin I/O; answers how long that took. */
async function askedFor(throttle: Throttle): Promise<() => number | null> {
  const beganMs = scheduler.clock.nowMs();
  let tookMs: number | null = null;
  scheduler.spawn("copier", async (task) => {
    await throttle.admit(task);
    tookMs = scheduler.clock.nowMs() - beganMs;
  });
  await scheduler.run();
  return () => tookMs;
}

describe("a throttle of 50 %", () => {
  it("keeps I/O waiting until half of the time was free of it", async () => {
    const throttle = new Throttle(scheduler.clock, 50);
    throttle.ioStarted();
    await scheduler.advance(150);
    throttle.ioEnded();
    const took = await askedFor(throttle);
    await scheduler.advance(5000);
    expect(took()).toBe(200);
  });

  it("keeps nobody waiting who has used less", async () => {
    const throttle = new Throttle(scheduler.clock, 50);
    await scheduler.advance(500);
    throttle.ioStarted();
    await scheduler.advance(400);
    throttle.ioEnded();
    expect((await askedFor(throttle))()).toBe(0);
  });

  it("lets I/O through after a second in any case", async () => {
    const throttle = new Throttle(scheduler.clock, 50);
    throttle.ioStarted();
    await scheduler.advance(100);
    const took = await askedFor(throttle);
    await scheduler.advance(5000);
    expect(took()).toBe(1000);
  });

  it("forgets what is long ago", async () => {
    const throttle = new Throttle(scheduler.clock, 50);
    throttle.ioStarted();
    await scheduler.advance(60_000);
    throttle.ioEnded();
    await askedFor(throttle);
    await scheduler.advance(60_000);
    expect((await askedFor(throttle))()).toBe(0);
  });
});

describe("a throttle of 100 %", () => {
  it("is none, and begins its account when it is made smaller", async () => {
    const throttle = new Throttle(scheduler.clock, 100);
    throttle.ioStarted();
    await scheduler.advance(1000);
    expect((await askedFor(throttle))()).toBe(0);
    throttle.ioEnded();
    throttle.percent = 10;
    expect((await askedFor(throttle))()).toBe(0);
    throttle.ioStarted();
    await scheduler.advance(10);
    throttle.ioEnded();
    const took = await askedFor(throttle);
    await scheduler.advance(1000);
    expect(took()).toBe(100);
  });
});
