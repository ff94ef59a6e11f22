import type { Scheduler } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { expect, it } from "vitest";
import { Services } from "./services.ts";

class Archive {
  readonly scheduler: Scheduler;

  constructor(scheduler: Scheduler) {
    this.scheduler = scheduler;
  }
}

class Ledger extends Archive {}

const scheduler = new VirtualScheduler();

it("a service is found by its class, and by what that is a kind of", () => {
  const ledger = new Ledger(scheduler);
  const services = new Services(scheduler, [{ name: "a clock" }, ledger]);
  expect(services.get(Ledger)).toBe(ledger);
  expect(services.get(Archive)).toBe(ledger);
});

it("a service that nobody has given is named", () => {
  const services = new Services(scheduler, [new Archive(scheduler)]);
  expect(() => services.get(Ledger)).toThrow(
    expect.objectContaining({
      code: "BLK_STATE",
      errno: "ENODEV",
      message: "this device mapper was given no Ledger",
    }),
  );
});

it("what targets have in common is made once for each class, and given the scheduler", () => {
  const services = new Services(scheduler, []);
  const archive = services.shared(Archive);
  expect(services.shared(Archive)).toBe(archive);
  expect(archive.scheduler).toBe(scheduler);
  expect(services.shared(Ledger)).not.toBe(archive);
});
