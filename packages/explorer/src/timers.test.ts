import { AccessMode, Timer, type Waitable } from "@blkstack/task";
import { describe, expect, it } from "vitest";
import { explore } from "./explore.ts";
import type { ExploreOptions } from "./explore-options.ts";
import { replay } from "./replay.ts";
import type { Report } from "./report.ts";
import { defineScenario, type Scenario, type World } from "./scenario.ts";
import { STRATEGY_NAMES } from "./strategies/named.ts";
import { parseTrace } from "./trace.ts";

const ANY = { timers: "any-time" } as const;
const door: Waitable = { label: "the door", blockers: () => [] };

function scenario(build: (world: World) => void): Scenario {
  const variants = { only: { expect: "ok", summary: "the only one" } } as const;
  return defineScenario({ name: "test", summary: "a test", variants, build });
}

function run(build: (world: World) => void, options: ExploreOptions = {}): Promise<Report> {
  return explore(scenario(build), "only", options);
}

/** Orders of what happens, of all runs. */
async function orders(
  build: (world: World, tell: (what: string) => void) => void,
  options: ExploreOptions,
): Promise<{ readonly seen: readonly string[]; readonly report: Report }> {
  const seen = new Set<string>();
  const report = await run((world) => {
    let order = "";
    build(world, (what) => {
      order += what;
    });
    world.atEnd(() => {
      seen.add(order);
      return [];
    });
  }, options);
  return { seen: [...seen].sort(), report };
}

/** A timer, and a task with two steps that it could come before, between or after. */
function alarm(world: World, tell: (what: string) => void): void {
  const bed = world.cell("bed");
  const timer = new Timer(world.scheduler, "alarm", () => {
    world.scheduler.touch(bed.use(AccessMode.Write, "shake"));
    tell("!");
  });
  timer.arm(1000);
  world.spawn(
    "sleeper",
    async (task) => {
      for (const what of ["a", "b"]) {
        await world.step(task, bed.use(AccessMode.Write, "turn in"));
        tell(what);
      }
    },
    { startsAtFirstStep: true },
  );
}

/** A guest who is let in unless he tires first. */
function guest(world: World): void {
  const bell = world.cell("bell");
  const guestTask = world.spawn("guest", async (task) => {
    await world.step(task, bell.use(AccessMode.Write, "ring"));
    const reason = await world.scheduler.sleep(task, door, 1000);
    bell.value = reason === 0 ? 1 : 2;
  });
  world.spawn("porter", async (task) => {
    await world.step(task, bell.use(AccessMode.Write, "hear"));
    world.scheduler.wake(guestTask);
  });
  world.atEnd(() => (bell.value === 2 ? ["the guest has left"] : []));
}

describe("a timer that may fire at any time", () => {
  it("fires before, between and after the steps of others; and else only after them", async () => {
    const idle = await orders(alarm, {});
    expect(idle).toMatchObject({ seen: ["ab!"], report: { verdict: "proved", runs: 1 } });
    const any = await orders(alarm, { ...ANY, audits: "off" });
    expect(any).toMatchObject({
      seen: ["!ab", "a!b", "ab!"],
      report: { verdict: "proved", runs: 3, conditions: ANY },
    });
  });

  it.each(["dpor", "preemptions", "delays"] as const)(
    "so that %s sees it too",
    async (strategy) => {
      const { seen, report } = await orders(alarm, { ...ANY, strategy });
      expect(seen).toEqual(["!ab", "a!b", "ab!"]);
      expect(report.verdict).toBe("proved");
    },
  );

  it("is said in what is proved", async () => {
    const { report } = await orders(alarm, ANY);
    expect(report.story).toContain("all schedules, with timers at any time, at the granularity");
  });

  it("keeps its place among the timers", async () => {
    const build = (world: World, tell: (what: string) => void): void => {
      for (const [name, delayMs] of [
        ["2", 20],
        ["1", 10],
        ["3", 30],
      ] as const) {
        new Timer(world.scheduler, name, () => {
          tell(name);
        }).arm(delayMs);
      }
      const cell = world.cell("x");
      const step = cell.use(AccessMode.Write, "set");
      world.spawn(
        "t",
        async (task) => {
          await world.step(task, step);
          tell("t");
        },
        { startsAtFirstStep: true },
      );
    };
    const { seen, report } = await orders(build, { ...ANY, audits: "off" });
    expect(seen).toEqual(["123t", "12t3", "1t23", "t123"]);
    expect(report.runs).toBe(4);
  });

  it("moves the time, which whoever reads the clock can tell", async () => {
    const build = (world: World, tell: (what: string) => void): void => {
      new Timer(world.scheduler, "tick", () => undefined).arm(5);
      const cell = world.cell("x");
      world.spawn(
        "reader",
        async (task) => {
          await world.step(task, cell.use(AccessMode.Write, "look at"));
          tell(String(world.scheduler.clock.nowMs()));
        },
        { startsAtFirstStep: true },
      );
    };
    for (const strategy of ["exhaustive", "dpor"] as const) {
      expect((await orders(build, { ...ANY, strategy })).seen).toEqual(["0", "5"]);
    }
  });

  it("is tried also where every run so far has cancelled it", async () => {
    const { seen, report } = await orders(
      (world, tell) => {
        const timer = new Timer(world.scheduler, "alarm", () => {
          tell("!");
        });
        timer.arm(10);
        const cell = world.cell("x");
        world.spawn(
          "early",
          async (task) => {
            await world.step(task, cell.use(AccessMode.Write, "get up"));
            tell(timer.cancel() ? "c" : "-");
          },
          { startsAtFirstStep: true },
        );
      },
      { ...ANY, strategy: "dpor", audits: "off" },
    );
    expect(seen).toEqual(["!-", "c"]);
    expect(report).toMatchObject({ verdict: "proved", runs: 2 });
  });

  it.each(STRATEGY_NAMES)("is found by %s, told, and repeated", async (strategy) => {
    const report = await run(guest, { ...ANY, strategy });
    expect(report).toMatchObject({ verdict: "found", message: "the guest has left" });
    expect(report.story).toMatch(/timeout of guest +fires at 1000 ms/);
    expect(report.replayLine).toMatch(/^test:only \+timers=any-time /);
    const again = await replay(scenario(guest), report.replayLine ?? "");
    expect(again.report.message).toBe("the guest has left");
    const traced = await replay(scenario(guest), parseTrace(JSON.stringify(report.trace)));
    expect(traced.isSame).toBe(true);
  });

  it("asks again at most once before it must when it only asks for what others bring", async () => {
    const report = await run(
      (world) => {
        const pool = world.cell("pool");
        const waiter = world.spawn("waiter", async (task) => {
          for (;;) {
            world.scheduler.touch(pool.use(AccessMode.Write, "look at"));
            if (pool.value > 0) return;
            await world.scheduler.sleep(task, door, 5000, true);
          }
        });
        world.spawn("giver", async (task) => {
          await world.step(task, pool.use(AccessMode.Write, "give to"));
          pool.value = 1;
          world.scheduler.wake(waiter);
        });
      },
      { ...ANY, strategy: "dpor" },
    );
    expect(report.message).toBe("");
    expect(report.verdict).toBe("proved");
  });

  it("does not let a poller poll for ever", async () => {
    const report = await run(
      (world) => {
        const flag = world.cell("flag");
        world.spawn("poller", async (task) => {
          while (flag.value === 0) {
            world.scheduler.touch(flag.use(AccessMode.Write, "look at"));
            await world.scheduler.sleep(task, door, 10);
          }
        });
        world.spawn("setter", async (task) => {
          await world.step(task, flag.use(AccessMode.Write, "set"));
          flag.value = 1;
        });
      },
      { ...ANY },
    );
    expect(report.verdict).toBe("proved");
  });
});

describe("reduction with timers at any time", () => {
  it.each(Array.from({ length: 40 }, (_, seed) => seed + 1))(
    "leads to all ends of program %i",
    async (seed) => {
      const ends = async (strategy: "exhaustive" | "dpor"): Promise<readonly string[]> => {
        const { seen, report } = await orders(
          (world, tell) => {
            let lots = seed * 7919;
            const below = (n: number): number => {
              lots = (lots * 1103515245 + 12345) % 2147483648;
              return Math.floor((lots / 2147483648) * n);
            };
            const cells = [world.cell("x"), world.cell("y")];
            const values: string[] = [];
            const log = (who: number, what: string): void => {
              values[who] = `${values[who] ?? ""}${what}`;
            };
            const timers = [0, 1].map(
              (index) =>
                new Timer(world.scheduler, `timer ${String(index)}`, () => {
                  const cell = cells[index] ?? world.cell("z");
                  world.scheduler.touch(cell.use(AccessMode.Write, "tick"));
                  cell.value += 10;
                }),
            );
            for (let who = 0; who < 2; who += 1) {
              const ops = Array.from(
                { length: 2 },
                () => [below(5), below(2), 1 + below(3)] as const,
              );
              world.spawn(
                `t${String(who)}`,
                async (task) => {
                  for (const [kind, which, amount] of ops) {
                    const cell = cells[which];
                    const timer = timers[which];
                    if (cell === undefined || timer === undefined) return;
                    await world.step(task, cell.use(AccessMode.Write, "use"));
                    if (kind === 0) timer.arm(amount * 10);
                    else if (kind === 1) log(who, timer.cancel() ? "c" : "-");
                    else if (kind === 2) log(who, String(world.scheduler.clock.nowMs()));
                    else if (kind === 3) await world.scheduler.sleep(task, door, amount * 10);
                    else cell.value = cell.value * 2 + amount;
                  }
                },
                { startsAtFirstStep: true },
              );
            }
            world.atEnd(() => {
              tell(`${values.join("/")} ${cells.map(({ value }) => String(value)).join(",")} `);
              return [];
            });
          },
          { ...ANY, strategy, after: "all", audits: "off" },
        );
        expect(report.verdict).toBe("proved");
        return seen;
      };
      expect(await ends("dpor")).toEqual(await ends("exhaustive"));
    },
  );
});
