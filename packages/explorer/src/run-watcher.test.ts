import { AccessMode, WaitQueue } from "@blkstack/task";
import { expect, test } from "vitest";
import type { Check } from "./check.ts";
import { CHECKS } from "./check.ts";
import { explore } from "./explore.ts";
import type { ExploreOptions } from "./explore-options.ts";
import type { Report } from "./report.ts";
import type { RunWatcher } from "./run-watcher.ts";
import { defineScenario } from "./scenario.ts";
import type { RunWorld } from "./world.ts";

const bell = defineScenario({
  name: "bell",
  summary: "a guest sleeps until the porter, who looks at the clock now and then, rings",
  variants: { ring: { expect: "ok", summary: "rung after a second" } },
  build(world) {
    const queue = new WaitQueue("bell");
    const book = { label: "book" };
    world.spawn("guest", async (task) => {
      await queue.sleep(task);
    });
    world.spawn("porter", async (task) => {
      await queue.sleep(task, 1000);
      await task.scheduler.mayPreempt(task, {
        object: book,
        mode: AccessMode.Write,
        label: "write into the book",
      });
      queue.wakeAll();
    });
  },
});

function watched(
  watch: (world: RunWorld) => RunWatcher | null,
  options: ExploreOptions = {},
): Promise<Report> {
  const check: Check = { name: "a watcher", inspect: () => null, watch };
  return explore(bell, "ring", { checks: [...CHECKS, check], ...options });
}

test("a watcher is told what happens in a run, in the order in which it happens", async () => {
  const seen: string[] = [];
  const note = (text: string): void => void seen.push(text);
  await watched(
    () => ({
      created: (actor) => {
        note(`${actor.name} is there`);
      },
      stepBegins: (actor) => {
        note(`${actor.name} begins`);
      },
      used: (_actor, { label }) => {
        note(label);
      },
      slept: (task, on) => {
        note(`${task.name} sleeps on ${on.label}`);
      },
      woken: (task, by) => {
        note(`${task.name} is woken by ${by?.name ?? "nobody"}`);
      },
      timerArmed: ({ atMs }) => {
        note(`armed for ${String(atMs)}`);
      },
      timerFired: ({ label }) => {
        note(`fires: ${label}`);
      },
      runOver: ({ why }) => {
        note(why);
      },
    }),
    { executions: 1, audits: "off" },
  );
  expect(seen).toEqual([
    "guest is there",
    "porter is there",
    "guest begins",
    "starts",
    "guest sleeps on bell",
    "porter begins",
    "starts",
    "armed for 1000",
    "porter sleeps on bell",
    "fires: timeout of porter",
    "porter is woken by porter",
    "porter begins",
    "tires of waiting for bell",
    "porter begins",
    "write into the book",
    "guest is woken by porter",
    "guest begins",
    "woken from bell",
    "quiet",
  ]);
});

test("a watcher that has seen enough ends the run there, and its finding is the run's", async () => {
  const report = await watched(({ scheduler }) => ({
    slept: ({ name }) => {
      if (name === "porter") scheduler.found({ kind: "WRONG", message: "the porter dozes" });
    },
  }));
  expect(report.kind).toBe("WRONG");
  expect(report.message).toBe("the porter dozes");
  expect(report.trace?.steps.at(-1)?.actor).toBe("porter");
  expect(report.trace?.steps.length).toBeLessThanOrEqual(2);
});

test("where all schedules are counted a run goes on to its end, and fails with what was seen first", async () => {
  let ended = 0;
  const report = await watched(
    ({ scheduler }) => ({
      settled: () => {
        if (scheduler.steps === 1) scheduler.found({ kind: "WRONG", message: "one step" });
        if (scheduler.steps === 2) scheduler.found({ kind: "BUG", message: "two steps" });
      },
      runOver: ({ why }) => {
        ended += why === "quiet" ? 1 : 0;
      },
    }),
    { after: "all" },
  );
  expect(report.message).toBe("one step");
  expect(report.failingRuns).toBe(report.runs);
  // The counted runs, and those that make the story.
  expect(ended).toBeGreaterThanOrEqual(report.runs);
});
