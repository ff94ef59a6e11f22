import { AccessMode, Mutex } from "@blkstack/task";
import { describe, expect, it } from "vitest";
import { explore } from "./explore.ts";
import { replay } from "./replay.ts";
import { defineScenario, type World } from "./scenario.ts";

/** Two who lock the other way round, and one who has nothing to do with it. */
const transfer = defineScenario({
  name: "transfer",
  summary: "two accounts, each with a lock",
  variants: {
    crossing: { expect: "DEADLOCK", summary: "each locks its own account first" },
    ordered: { expect: "ok", summary: "both lock account A first" },
    unlocked: { expect: "ok", summary: "nobody locks anything" },
    unbuildable: { expect: "ok", summary: "cannot be built" },
  },
  build(world, variant) {
    if (variant === "unbuildable") throw new RangeError("no");
    const [a, b] = [new Mutex("A"), new Mutex("B")];
    const move = (name: string, first: Mutex, second: Mutex): void => {
      world.spawn(name, async (task) => {
        if (variant === "unlocked") return;
        await first.lock(task);
        await lockSecond(second, task);
        second.unlock(task);
        first.unlock(task);
      });
    };
    move("alice", a, b);
    if (variant === "ordered") move("bob", a, b);
    else move("bob", b, a);
  },
});

async function lockSecond(second: Mutex, task: Parameters<Mutex["lock"]>[0]): Promise<void> {
  await second.lock(task);
}

/** A clerk writes one line after the other, and then the payer fails by itself. */
function buildLedger(world: World): void {
  const [ledger, till] = [world.cell("ledger"), world.cell("till")];
  world.spawn("clerk", async (task) => {
    for (let line = 0; line < 5; line += 1) {
      await world.step(task, ledger.use(AccessMode.Write, "write"));
    }
  });
  world.spawn("payer", async (task) => {
    await world.step(task, till.use(AccessMode.Write, "open"));
    throw new Error("the till is empty");
  });
}

const ledger = defineScenario({
  name: "ledger",
  summary: "an error that comes after much that it does not need",
  variants: { only: { expect: "ERROR", summary: "the only one" } },
  build: buildLedger,
});

describe("the story of a failure", () => {
  it("says where in the code each task waits, by a stack taken in a run of its own", async () => {
    const { story, trace } = await explore(transfer, "crossing");
    const site = /^ {4}at lockSecond \(packages\/explorer\/src\/story\.test\.ts:\d+\)$/m;
    expect(story).toMatch(site);
    expect(Object.keys(trace?.waitSites ?? {})).toEqual(["alice", "bob"]);
    expect(trace?.waitSites?.["bob"]?.[0]).toMatch(/^lockSecond \(/);
    const again = await replay(transfer, trace ?? "");
    expect(again.report.trace).toEqual(trace);
  });

  it("says where a variant that ends well leaves the way", async () => {
    const { story } = await explore(transfer, "crossing");
    expect(story).toContain('with :ordered, which ends well, step 4 is  bob: lock mutex "A"');
  });

  it("says where an error was thrown", async () => {
    const { story } = await explore(ledger, "only");
    expect(story).toMatch(/payer: the till is empty\n {4}at .*story\.test\.ts:\d+\)?$/m);
  });

  it("folds the steps that do not matter, unless asked to tell all", async () => {
    // Followed by a line, so that nothing is left out.
    const line = "ledger:only clerk*6 payer*2";
    const short = await replay(ledger, line);
    expect(short.report.story).toContain("… 6 steps of clerk that do not matter");
    expect(short.report.story).not.toContain("write ledger");
    const full = await replay(ledger, line, { story: "full" });
    expect(full.report.story).toContain("write ledger");
    expect(full.report.story).not.toContain("do not matter");
    expect(full.report.trace).toEqual(short.report.trace);
  });

  it("tells what the failure had to come after, whoever did it", async () => {
    const chain = defineScenario({
      name: "chain",
      summary: "one sets what another copies and a third trips over",
      variants: { only: { expect: "ERROR", summary: "the only one" } },
      build(world) {
        const [first, second] = [world.cell("first"), world.cell("second")];
        const spawn = (name: string, body: (task: Parameters<World["step"]>[0]) => Promise<void>) =>
          world.spawn(name, body, { startsAtFirstStep: true });
        spawn("setter", async (task) => {
          await world.step(task, first.use(AccessMode.Write, "set"));
          first.value = 1;
        });
        spawn("copier", async (task) => {
          await world.step(task, first.use(AccessMode.Read, "read"));
          const seen = first.value;
          await world.step(task, second.use(AccessMode.Write, "write"));
          second.value = seen;
        });
        spawn("victim", async (task) => {
          await world.step(task, second.use(AccessMode.Read, "check"));
          if (second.value === 1) throw new Error("tripped");
        });
      },
    });
    const { report } = await replay(chain, "chain:only setter copier*2 victim");
    expect(report.message).toBe("victim: tripped");
    expect(report.story).not.toContain("do not matter");
    expect(report.story).toMatch(/1 {3}setter {2}set first\n.*\n.*write second\n.*check second/);
  });
});
