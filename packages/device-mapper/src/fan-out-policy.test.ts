import { Bio, BioOp, BioStatus } from "@blkstack/bio";
import { allFail } from "@blkstack/memory";
import { Mutex, type Task } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { describe, expect, it } from "vitest";
import { Bench } from "../test/bench.ts";
import { probeType } from "../test/test-targets.ts";
import { type FanOutPolicy, oneByOne, wholeSets } from "./fan-out-policy.ts";

const ok = { ends: 1, status: BioStatus.Ok };
const waiting = { ends: 0, status: null };

it("the ways to wait for clones have names", () => {
  expect([wholeSets.name, oneByOne.name]).toEqual(["whole-sets", "one-by-one"]);
});

describe.each([wholeSets, oneByOne])("$name", (policy) => {
  it("has clones in reserve for one bio at least", () => {
    expect([policy.reserve(2, 5), policy.reserve(16, 5)]).toEqual([5, 16]);
  });

  it("asks again for a clone that is not there yet, and takes as many as are asked for", async () => {
    const scheduler = new VirtualScheduler();
    const made = [null, new Bio(), null, new Bio(), new Bio()];
    const expected = [made[1], made[3]];
    const lock = new Mutex("clones");
    const source = { lock, alloc: () => made.shift() ?? null, rescueParked: () => undefined };
    const taken = await scheduler.perform("taker", (task) => policy.allocAll(source, 2, task));
    expect(taken).toEqual(expected);
    expect(lock.owner).toBeNull();
  });

  it("gets a bio through that takes all the clones there are", async () => {
    const bench = new Bench({ fanOut: policy, poolSize: 1, types: [probeType({ copies: 4 })] });
    await bench.create("md", "0 16 probe a 0");
    bench.memory.faultPlan = allFail;
    expect(await bench.send("md", BioOp.Discard, 0, 4)).toMatchObject(ok);
    expect(bench.a.log).toHaveLength(4);
  });
});

it.each<[FanOutPolicy, object[]]>([
  [wholeSets, [ok, ok]],
  [oneByOne, [waiting, waiting]],
])(
  "two who get the clones one at a time both end, or have half of them each for ever (%o): %o",
  async (fanOut, outcomes) => {
    const bench = new Bench({ fanOut, poolSize: 3, types: [probeType({ copies: 4 })] });
    await bench.create("md", "0 16 probe a 0");
    bench.memory.faultPlan = allFail;
    bench.a.isHolding = true;
    const first = await bench.send("md", BioOp.Discard, 0, 4);
    const others = [await bench.send("md", BioOp.Discard, 4, 4)];
    others.push(await bench.send("md", BioOp.Discard, 8, 4));
    expect(bench.a.held).toHaveLength(4);
    for (let copy = 0; copy < 4; copy += 1) {
      bench.a.endOne();
      await bench.scheduler.run();
    }
    bench.a.endAll();
    await bench.scheduler.run();
    expect(first).toMatchObject(ok);
    expect(others).toMatchObject(outcomes);
  },
);

it("who waits for clones is told of with what he waits for", async () => {
  const bench = new Bench({ poolSize: 1, types: [probeType({ copies: 2 })] });
  await bench.create("md", "0 16 probe a 0");
  bench.memory.faultPlan = { fails: (site) => site === "bios of md-clone" };
  bench.a.isHolding = true;
  const tasks: Task[] = [];
  const discards = [0, 4, 8].map((sector) => bench.prepare("md", BioOp.Discard, sector, 4));
  for (const { bio } of discards) {
    tasks.push(bench.scheduler.spawn("discard", (task) => bench.submitter.submitBio(bio, task)));
  }
  await bench.scheduler.run();
  expect(tasks.map(({ waitingFor }) => waitingFor?.label)).toEqual([
    undefined,
    'bio_set "md-clone"',
    'mutex "fan-out of md"',
  ]);
  bench.a.endAll();
  await bench.scheduler.run();
  expect(discards).toMatchObject([ok, ok, ok]);
});
