import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { Vigil } from "./vigil.ts";

/** A clock that somebody looks at as long as a vigil is kept, and only then. */
class WatchedClock {
  ms = 0;
  looks = 0;

  nowMs(): number {
    this.looks += 1;
    return this.ms;
  }

  /** Whether anybody looks at it in the next turns of the event loop. */
  async isWatched(): Promise<boolean> {
    await setImmediate();
    const { looks } = this;
    await setImmediate();
    await setImmediate();
    return this.looks > looks;
  }
}

/** Somebody is heard, and nobody until long after the vigil. */
async function hearOnce(vigil: Vigil, clock: WatchedClock): Promise<boolean> {
  vigil.heard();
  const isKept = await clock.isWatched();
  clock.ms += 1;
  await clock.isWatched();
  return isKept;
}

it("is kept for as long as it is to last, and no longer", async () => {
  const clock = new WatchedClock();
  const vigil = new Vigil(clock, 50, 2);
  expect(await clock.isWatched()).toBe(false);
  vigil.heard();
  clock.ms = 0.049;
  expect(await clock.isWatched()).toBe(true);
  clock.ms = 0.05;
  await setImmediate();
  expect(await clock.isWatched()).toBe(false);
});

it("lasts longer when somebody comes", async () => {
  const clock = new WatchedClock();
  const vigil = new Vigil(clock, 50, 2);
  vigil.heard();
  clock.ms = 0.04;
  vigil.heard();
  clock.ms = 0.08;
  expect(await clock.isWatched()).toBe(true);
  clock.ms = 0.09;
  await setImmediate();
  expect(await clock.isWatched()).toBe(false);
});

it("is kept less and less often in vain, and always again once it is not", async () => {
  const clock = new WatchedClock();
  const vigil = new Vigil(clock, 50, 2);
  let kept = 0;
  for (let times = 0; times < 1000; times += 1) if (await hearOnce(vigil, clock)) kept += 1;
  expect(kept).toBeGreaterThan(15);
  expect(kept).toBeLessThan(30);
  while (!(await hearOnce(vigil, clock)));
  for (let skips = 0; skips < 64; skips += 1) vigil.heard();
  for (let visits = 0; visits <= 4; visits += 1) vigil.heard();
  clock.ms += 1;
  await clock.isWatched();
  expect(await hearOnce(vigil, clock)).toBe(true);
});

it.each([
  [0, 2],
  [50, 1],
])("is never kept for %d µs with %d processors", async (lengthUs, processors) => {
  const clock = new WatchedClock();
  const vigil = new Vigil(clock, lengthUs, processors);
  vigil.heard();
  expect(await clock.isWatched()).toBe(false);
});
