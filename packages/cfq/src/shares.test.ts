import { BioOp } from "@blkstack/bio";
import { WaitQueue } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { describe, expect, it } from "vitest";
import { Setting } from "../test/setting.ts";
import { TimedDisk } from "../test/timed-disk.ts";
import type { CfqQueue, CfqQueueOptions } from "./index.ts";

interface Load {
  readonly group: string;
  readonly weight: number;
  /** Bios under way at a time. */
  readonly atOnce?: number;
  /** Between the end of a bio and the next one. */
  readonly thinkMs?: number;
  readonly priority?: number;
  readonly op?: BioOp;
  readonly hasAsyncWrites?: boolean;
}

/** Clients that send bios as fast as they may, for some seconds; answers how many ended, of each. */
class Machine {
  readonly scheduler: VirtualScheduler = new VirtualScheduler({ isExploring: false });
  readonly setting: Setting = new Setting(this.scheduler);
  readonly disk: TimedDisk;
  readonly ended: number[] = [];
  queue!: CfqQueue;

  constructor(msEach = 1) {
    this.disk = new TimedDisk(this.scheduler, msEach);
  }

  async run(
    loads: readonly Load[],
    ms: number,
    options: Partial<CfqQueueOptions> = {},
  ): Promise<void> {
    const { scheduler, setting } = this;
    this.queue = await scheduler.perform("setup", (task) =>
      setting.createQueue(this.disk, task, options),
    );
    for (const [number, load] of loads.entries()) this.#start(load, number);
    await this.goOn(ms);
  }

  async goOn(ms: number): Promise<void> {
    await this.scheduler.advance(ms);
  }

  #start(load: Load, number: number): void {
    const { group, weight, atOnce = 1, op = BioOp.Read, ...rest } = load;
    this.queue.setWeight(group, weight);
    const client = this.queue.openClient({ name: `client ${String(number)}`, group, ...rest });
    const thinking = new WaitQueue("a thought");
    this.ended[number] = 0;
    for (let count = 0; count < atOnce; count += 1) {
      this.scheduler.spawn(`${client.name}.${String(count)}`, async (task) => {
        for (;;) {
          await this.setting.io(client, task, op);
          this.ended[number] = (this.ended[number] ?? 0) + 1;
          const { thinkMs = 0 } = load;
          if (thinkMs > 0) await thinking.sleep(task, thinkMs);
        }
      });
    }
  }

  ratio(number: number, to: number): number {
    return (this.ended[number] ?? NaN) / (this.ended[to] ?? NaN);
  }
}

const LIGHT: Load = { group: "light", weight: 100 };
const HEAVY: Load = { group: "heavy", weight: 300 };

describe("two clients of weights 100 and 300 share a disk 1 to 3", () => {
  it.each([
    ["that have 32 bios under way each", { atOnce: 32 }],
    ["that have one bio under way each, and so are waited for", { atOnce: 1 }],
    ["that think for two milliseconds between two bios", { atOnce: 1, thinkMs: 2 }],
  ])("%s", async (_name, load) => {
    const machine = new Machine();
    await machine.run(
      [
        { ...LIGHT, ...load },
        { ...HEAVY, ...load },
      ],
      10_000,
    );
    expect(machine.ratio(1, 0)).toBeGreaterThan(2.8);
    expect(machine.ratio(1, 0)).toBeLessThan(3.2);
  });

  it("where one has many bios under way and the other one has one", async () => {
    const machine = new Machine();
    // What the one has under way when its turn ends is served in the turn of the other.
    await machine.run([{ ...LIGHT, atOnce: 64 }, HEAVY], 10_000, { depth: 2 });
    expect(machine.ratio(1, 0)).toBeGreaterThan(2.8);
    expect(machine.ratio(1, 0)).toBeLessThan(3.2);
  });

  it("where the disk is so fast that none of them ever waits for it", async () => {
    const machine = new Machine(0);
    const loads = [LIGHT, HEAVY].map((load) => ({ ...load, thinkMs: 1 }));
    await machine.run(loads, 10_000);
    expect(machine.ratio(1, 0)).toBeGreaterThan(2.8);
    expect(machine.ratio(1, 0)).toBeLessThan(3.2);
  });

  it("but not if nobody waits for who thinks: then each bio costs it its place", async () => {
    const machine = new Machine();
    const loads = [
      { ...LIGHT, atOnce: 32 },
      { ...HEAVY, thinkMs: 2 },
    ];
    await machine.run(loads, 20_000, { idleTicks: 0 });
    expect(machine.ratio(1, 0)).toBeLessThan(0.5);
  });
});

it("a client that stops is waited for no longer than it may be", async () => {
  const machine = new Machine();
  const pauses = { ...HEAVY, thinkMs: 100_000 };
  await machine.run([{ ...LIGHT, atOnce: 4 }, pauses], 2000);
  expect(machine.ended[0]).toBeGreaterThan(1900);
});

it("the disk does not stand still for a client that always thinks for longer than it is waited for", async () => {
  const machine = new Machine();
  const thinks = { ...HEAVY, thinkMs: 70 };
  await machine.run([{ ...LIGHT, atOnce: 4 }, thinks], 10_000);
  const [busy = NaN, thinking = NaN] = machine.ended;
  expect(busy + thinking).toBeGreaterThan(9000);
  expect(thinking).toBeGreaterThan(40);
});

it("a client that thought for long and does no more has its share again", async () => {
  const machine = new Machine();
  const thinks = { ...HEAVY, thinkMs: 70 };
  await machine.run([{ ...LIGHT, atOnce: 4 }, thinks], 2000);
  thinks.thinkMs = 0;
  await machine.goOn(2000);
  const before = [...machine.ended];
  await machine.goOn(10_000);
  const [light = NaN, heavy = NaN] = machine.ended.map((ended, n) => ended - (before[n] ?? NaN));
  expect(heavy / light).toBeGreaterThan(2.8);
  expect(heavy / light).toBeLessThan(3.2);
});

describe("a turn that ends late", () => {
  const late = { latencyTicks: 60, depth: 1 };
  const loads = [LIGHT, HEAVY].map((load) => ({ ...load, atOnce: 4 }));

  it("is charged for what it used: one bio lasts longer than the turns of both", async () => {
    const machine = new Machine(50);
    await machine.run(loads, 60_000, late);
    expect(machine.ratio(1, 0)).toBeGreaterThan(2.9);
    expect(machine.ratio(1, 0)).toBeLessThan(3.1);
  });

  it("is charged for no more than its slice, where that is asked for: then weights count for less", async () => {
    const machine = new Machine(50);
    await machine.run(loads, 60_000, { ...late, charge: "slice" });
    expect(machine.ratio(1, 0)).toBeLessThan(1.5);
  });
});

it("shorter turns make shares exact sooner", async () => {
  const machine = new Machine(0.5);
  const loads = [LIGHT, HEAVY].map((load) => ({ ...load, atOnce: 8 }));
  await machine.run(loads, 0, { latencyTicks: 60 });
  for (let round = 0; round < 5; round += 1) {
    const before = [...machine.ended];
    await machine.goOn(1000);
    const [light = NaN, heavy = NaN] = machine.ended.map((ended, n) => ended - (before[n] ?? NaN));
    expect(heavy / light).toBeGreaterThan(2.8);
    expect(heavy / light).toBeLessThan(3.2);
  }
});

it("a client alone has the whole disk, whatever its weight", async () => {
  const machine = new Machine();
  await machine.run([{ group: "alone", weight: 10, atOnce: 4 }], 1000);
  expect(machine.ended[0]).toBeGreaterThanOrEqual(999);
});

it("two clients of one group have its share in halves", async () => {
  const machine = new Machine();
  const half = { group: "both", weight: 300, atOnce: 4 };
  await machine.run([{ ...LIGHT, atOnce: 4 }, half, half], 10_000);
  expect(machine.ratio(1, 2)).toBeCloseTo(1, 1);
  const [light = NaN, first = NaN, second = NaN] = machine.ended;
  expect((first + second) / light).toBeGreaterThan(2.8);
  expect((first + second) / light).toBeLessThan(3.2);
});

it("of two clients of one group the one of the better priority is served longer", async () => {
  const machine = new Machine();
  const load = { group: "both", weight: 500, atOnce: 4 };
  await machine.run(
    [
      { ...load, priority: 0 },
      { ...load, priority: 7 },
    ],
    10_000,
  );
  expect(machine.ratio(0, 1)).toBeGreaterThan(1.5);
});

it("none of a hundred groups starves: each has its share within a tenth", async () => {
  const machine = new Machine(0.2);
  const loads = Array.from({ length: 100 }, (_, number) => ({
    group: `group ${String(number)}`,
    weight: number % 2 === 0 ? 100 : 300,
    atOnce: 2,
  }));
  // Who was there first was alone, and had a whole turn: twenty seconds' share of the lightest.
  await machine.run(loads, 20_000, { depth: 2 });
  const total = machine.ended.reduce((sum, ended) => sum + ended, 0);
  for (const [number, ended] of machine.ended.entries()) {
    const share = ((loads[number]?.weight ?? NaN) / 20_000) * total;
    expect(Math.abs(ended / share - 1)).toBeLessThan(0.1);
  }
});

it("writes that nobody waits for are the root's, whoever sent them", async () => {
  const machine = new Machine();
  const writes = { ...LIGHT, op: BioOp.Write, atOnce: 8, hasAsyncWrites: true };
  await machine.run([writes, { ...HEAVY, atOnce: 8 }], 10_000);
  const times = await machine.scheduler.perform("look", (task) =>
    ["/", "light"].map((group) => machine.queue.statisticsOf(group, task)?.time),
  );
  expect(times).toEqual([expect.any(Number), undefined]);
  expect(times[0]).toBeGreaterThan(4000);
});

it("the disk never has more bios than it may", async () => {
  const machine = new Machine();
  await machine.run(
    [
      { ...LIGHT, atOnce: 32 },
      { ...HEAVY, atOnce: 32 },
    ],
    1000,
    { depth: 3 },
  );
  expect(machine.disk.mostAtOnce).toBe(3);
});
