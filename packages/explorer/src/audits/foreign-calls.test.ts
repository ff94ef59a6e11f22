import { AccessMode } from "@blkstack/task";
import { describe, expect, it } from "vitest";
import { explore } from "../explore.ts";
import type { Report } from "../report.ts";
import { defineScenario, type World } from "../scenario.ts";
import { guardForeignCalls, runBegins, runEnds } from "./foreign-calls.ts";

function run(build: (world: World) => void): Promise<Report> {
  const variants = { only: { expect: "ok", summary: "the only one" } } as const;
  const scenario = defineScenario({ name: "test", summary: "a test", variants, build });
  return explore(scenario, "only", { after: "first" });
}

/** One task that calls this between two steps. */
function calling(call: () => unknown): Promise<Report> {
  return run((world) => {
    const cell = world.cell("x");
    world.spawn("caller", async (task) => {
      await world.step(task, cell.use(AccessMode.Write, "set"));
      call();
      await world.step(task, cell.use(AccessMode.Write, "set"));
    });
  });
}

describe("what explored code takes from the platform is a finding", () => {
  it.each<[string, () => unknown]>([
    ["Math.random()", () => Math.random()],
    ["Date.now()", () => Date.now()],
    ["new Date()", () => new Date()],
    ["performance.now()", () => performance.now()],
    ["crypto.randomUUID()", () => crypto.randomUUID()],
    ["process.hrtime()", () => process.hrtime()],
    ["setTimeout()", () => setTimeout(() => undefined, 0)],
    ["setImmediate()", () => setImmediate(() => undefined)],
  ])("%s, with the place of the call", async (name, call) => {
    const report = await calling(call);
    expect(report).toMatchObject({ verdict: "found", kind: "FOREIGN_CALL" });
    expect(report.message).toContain(`${name} is called at `);
    expect(report.message).toMatch(/foreign-calls\.test\.ts:\d+:\d+/);
  });

  it("also while the stack is built", async () => {
    const report = await run((world) => {
      world.cell("x", Math.floor(Math.random() * 2));
    });
    expect(report.kind).toBe("FOREIGN_CALL");
  });

  it("and is named where a task waits for it", async () => {
    const report = await calling(() => undefined);
    expect(report.verdict).toBe("proved");
    const waiting = await run((world) => {
      const cell = world.cell("x");
      world.spawn("stranger", async (task) => {
        await world.step(task, cell.use(AccessMode.Write, "set"));
        await new Promise((resolve) => setTimeout(resolve, 1e6).unref());
      });
    });
    expect(waiting.kind).toBe("FOREIGN_AWAIT");
    expect(waiting.message).toContain('stranger waits after "set x" for something');
    expect(waiting.message).toMatch(/setTimeout\(\) is called at .*foreign-calls\.test\.ts:\d+/);
  });

  it("unless it is a date that was given", async () => {
    expect((await calling(() => new Date(0).getTime())).verdict).toBe("proved");
  });
});

describe("the platform is as it was", () => {
  it("as soon as a search is over", async () => {
    const asNow = (): unknown[] =>
      [
        [globalThis, "Date"],
        [Date, "now"],
        [Math, "random"],
        [performance, "now"],
      ].map(([holder, key]) => Reflect.get(holder as object, key as string) as unknown);
    const before = asNow();
    const own = Object.hasOwn(performance, "now");
    await calling(() => Math.random());
    expect(asNow().map((now, index) => now === before[index])).toEqual([true, true, true, true]);
    expect(Object.hasOwn(performance, "now")).toBe(own);
  });

  it("while searches share it, until the last is over", () => {
    const { random } = Math;
    const [first, second] = [guardForeignCalls(), guardForeignCalls()];
    first();
    expect(Math.random).not.toBe(random);
    expect(new Date()).toBeInstanceOf(Date);
    second();
    expect(Math.random).toBe(random);
  });

  it("for everybody else who asks beside a search", () => {
    const told: string[] = [];
    const listener = { foreignCall: ({ name }: { name: string }) => void told.push(name) };
    const restore = guardForeignCalls();
    Math.random();
    runBegins(listener);
    Math.random();
    runEnds(listener);
    Math.random();
    restore();
    expect(told).toEqual(["Math.random()"]);
  });

  it("and what somebody put there meanwhile stays", () => {
    const { random } = Math;
    const restore = guardForeignCalls();
    const theirs = (): number => 0;
    Math.random = theirs;
    restore();
    expect(Math.random).toBe(theirs);
    Math.random = random;
  });
});
