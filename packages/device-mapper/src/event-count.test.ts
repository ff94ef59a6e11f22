import { VirtualScheduler } from "@blkstack/task/virtual";
import { expect, it } from "vitest";
import { EventCount } from "./event-count.ts";

it("who waits for an event says for which device, and that nobody in particular owes it", async () => {
  const scheduler = new VirtualScheduler();
  const events = new EventCount("events of md");
  let told = -1;
  const waiter = scheduler.spawn("waiter", async (task) => {
    told = await events.wait(0, task);
  });
  await scheduler.run();
  const { waitingFor } = waiter;
  expect([waitingFor?.label, waitingFor?.blockers()]).toEqual(["events of md", []]);
  expect([events.label, events.blockers()]).toEqual(["events of md", []]);
  events.raise();
  events.raise();
  await scheduler.run();
  expect([told, events.count]).toEqual([2, 2]);
});

it("who knows an older number does not wait", async () => {
  const scheduler = new VirtualScheduler();
  const events = new EventCount("events of md");
  events.raise();
  expect(await scheduler.perform("waiter", (task) => events.wait(0, task))).toBe(1);
  expect(await scheduler.perform("waiter", (task) => events.wait(7, task))).toBe(1);
});
