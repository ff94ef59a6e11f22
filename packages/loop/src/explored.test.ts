import { BioFlag, BioOp, BioStatus, SECTOR_BYTES } from "@blkstack/bio";
import { BlockError } from "@blkstack/block";
import { defineScenario, exploreTest, type World } from "@blkstack/explorer";
import { type Access, AccessMode, type Task } from "@blkstack/task";
import { describe, it } from "vitest";
import { dataOf, pattern, planBio } from "@blkstack/block/testing";
import { Setting, flushBio } from "../test/setting.ts";
import type { BackingFile, LoopDevice } from "./index.ts";
import { RamFile, SimulatedFilesystem } from "./simulated.ts";

const OK = { expect: "ok", summary: "every schedule ends well" } as const;

/** A file of which a power cut would leave what was synced; each call takes two steps. */
class CachedFile implements BackingFile {
  readonly label = "file";
  readonly kind = "regular";
  readonly isReadOnly = false;
  readonly newest: RamFile;
  durable: Uint8Array;
  /** Calls made so far. */
  calls = 0;
  readonly #use: Access = { object: this, mode: AccessMode.Write, label: "use the file" };

  constructor(sizeBytes: number) {
    this.newest = new RamFile({ label: "newest", sizeBytes });
    this.durable = new Uint8Array(sizeBytes);
  }

  get sizeBytes(): number {
    return this.newest.sizeBytes;
  }

  async read(views: readonly Uint8Array[], offsetBytes: number, task: Task): Promise<number> {
    await this.#step(task);
    return this.newest.read(views, offsetBytes);
  }

  async write(views: readonly Uint8Array[], offsetBytes: number, task: Task): Promise<number> {
    await this.#step(task);
    return this.newest.write(views, offsetBytes);
  }

  async sync(task: Task): Promise<number> {
    await this.#step(task);
    const image = this.newest.bytes.slice();
    await this.#step(task);
    this.durable = image;
    return 0;
  }

  async #step(task: Task): Promise<void> {
    await task.scheduler.mayPreempt(task, this.#use);
    this.calls += 1;
  }
}

/** Writes one sector and answers how that ended. */
function write(
  setting: Setting,
  loop: LoopDevice,
  sector: number,
  task: Task,
  flags = 0,
): Promise<BioStatus> {
  const data = pattern(1, sector + 1);
  return setting.run(loop, planBio({ op: BioOp.Write, sector, sectors: 1, data, flags }), task);
}

function holds(image: Uint8Array, sector: number): boolean {
  const at = sector * SECTOR_BYTES;
  return pattern(1, sector + 1).every((byte, index) => image[at + index] === byte);
}

/** Has `body` run by a task that has bound the device, which others wait for. */
function afterBinding(
  world: World,
  workers: number,
  bodies: (setting: Setting, loop: LoopDevice, file: CachedFile) => Record<string, TaskOf>,
): void {
  const setting = new Setting(world.scheduler);
  const file = new CachedFile(8 * SECTOR_BYTES);
  const loop = setting.loop({ workers });
  world.place({
    label: "queue of loop0",
    things: loop.commands,
    servedBy: () => loop.servedBy(),
  });
  world.spawn("binder", async (task) => {
    await loop.bind({ file }, task);
    for (const [name, body] of Object.entries(bodies(setting, loop, file))) {
      world.scheduler.spawn(name, body);
    }
  });
}

type TaskOf = (task: Task) => Promise<void>;

describe("unbinding while others write", () => {
  const scenario = defineScenario({
    name: "unbind-race",
    summary: "two tasks write while a third takes the file away",
    variants: { one: OK, two: OK },
    build(world, variant) {
      afterBinding(world, variant === "one" ? 1 : 2, (setting, loop, file) => {
        const ended = new Map<number, BioStatus>();
        let callsAtUnbind = -1;
        world.atEnd(() => {
          const wrong = [...ended].filter(
            ([sector, status]) => (status === BioStatus.Ok) !== holds(file.newest.bytes, sector),
          );
          const complaints = wrong.map(([sector]) => `sector ${String(sector)} ended otherwise`);
          if (ended.size !== 2) complaints.push(`${String(ended.size)} bios of 2 ended`);
          if (file.calls !== callsAtUnbind) complaints.push("the file was used after unbind");
          return complaints;
        });
        const writer = (sector: number): TaskOf => {
          return async (task) => {
            ended.set(sector, await write(setting, loop, sector, task));
          };
        };
        return {
          alice: writer(0),
          bob: writer(4),
          carol: async (task) => {
            await loop.unbind(task);
            callsAtUnbind = file.calls;
          },
        };
      });
    },
  });

  it(
    "loses no command, nor uses the file afterwards",
    exploreTest(scenario, "one", { strategy: "dpor", require: "proof" }),
  );

  it(
    "loses none with two workers either, under 500 schedules of many",
    exploreTest(scenario, "two", { strategy: "random", executions: 500 }),
  );
});

describe("two that unbind", () => {
  it(
    "are told apart",
    exploreTest(
      (world) => {
        const setting = new Setting(world.scheduler);
        const loop = setting.loop();
        const file = new CachedFile(512);
        const told: string[] = [];
        const unbinder: TaskOf = async (task) => {
          try {
            await loop.unbind(task);
            told.push("unbound");
          } catch (error) {
            if (!(error instanceof BlockError)) throw error;
            told.push(error.errno);
          }
        };
        return {
          tasks: {
            alice: async (task) => {
              await loop.bind({ file }, task);
              world.scheduler.spawn("bob", unbinder);
              world.scheduler.spawn("carol", unbinder);
            },
          },
          check: () => (told.sort().join() === "ENXIO,unbound" ? [] : [told.join()]),
        };
      },
      { strategy: "dpor", require: "proof" },
    ),
  );
});

describe("a flush", () => {
  const scenario = defineScenario({
    name: "flush-covers",
    summary: "one task flushes while another one writes",
    variants: { "one-flush": OK, "one-fua": OK, "two-flush": OK },
    build(world, variant) {
      const [workers, kind] = variant.split("-");
      afterBinding(world, workers === "one" ? 1 : 2, (setting, loop, file) => {
        const acknowledged: number[] = [];
        const object = { label: "what was acknowledged" };
        const ledger: Access = { object, mode: AccessMode.Write, label: `use ${object.label}` };
        const complaints: string[] = [];
        world.atEnd(() => complaints);
        return {
          alice: async (task) => {
            await task.scheduler.mayPreempt(task, ledger);
            const before = [...acknowledged];
            if (kind === "fua") {
              await write(setting, loop, 1, task, BioFlag.Preflush | BioFlag.Fua);
              before.push(1);
            } else {
              await setting.run(loop, flushBio(BioFlag.Preflush), task);
            }
            for (const sector of before) {
              if (!holds(file.durable, sector)) complaints.push(`sector ${String(sector)} is lost`);
            }
          },
          bob: async (task) => {
            await write(setting, loop, 4, task);
            task.scheduler.touch(ledger);
            acknowledged.push(4);
          },
        };
      });
    },
  });

  it.each(["one-flush", "one-fua", "two-flush"])(
    "covers every write that ended before it was asked for (workers: %s)",
    (variant) => exploreTest(scenario, variant, { strategy: "dpor", require: "proof" })(),
  );
});

describe("two workers over a disk that ends bios in any order", () => {
  it(
    "leave of writes to the same sectors the last one, under 500 schedules of many",
    exploreTest(
      (world) => {
        const setting = new Setting(world.scheduler);
        const disk = setting.disk("sda", 16);
        const loop = setting.loop({ workers: 2 });
        return {
          tasks: {
            alice: async (task) => {
              await loop.bind({ file: setting.fileOf(disk) }, task);
              const first = planBio({
                op: BioOp.Write,
                sector: 0,
                sectors: 2,
                data: pattern(2, 1),
              });
              const second = planBio({
                op: BioOp.Write,
                sector: 1,
                sectors: 2,
                data: pattern(2, 2),
              });
              for (const bio of [first, second]) {
                bio.device = loop;
                await setting.submitter.submitBio(bio, task);
              }
              await loop.unbind(task);
            },
          },
          check: () => {
            const found = new Uint8Array(2 * SECTOR_BYTES);
            disk.peek(1, found);
            const wanted = pattern(2, 2);
            return Buffer.compare(found, wanted) === 0 ? [] : ["the disk has something else"];
          },
        };
      },
      { strategy: "random", executions: 500 },
    ),
  );
});

describe("memory that runs out below a loop device", () => {
  it(
    "fails the write or lets it be whole, and leaves nothing locked",
    exploreTest(
      (world) => {
        const setting = new Setting(world.scheduler);
        const filesystem = new SimulatedFilesystem({
          name: "X",
          lower: new RamFile({ label: "blocks", sizeBytes: 65_536 }),
          memory: setting.memory,
        });
        const file = filesystem.createFile("img");
        const loop = setting.loop();
        const told: string[] = [];
        const writer =
          (sector: number): TaskOf =>
          async (task) => {
            const status = await write(setting, loop, sector, task);
            const bio = planBio({ op: BioOp.Read, sector, sectors: 1 });
            await setting.run(loop, bio, task);
            const isThere = holds(
              new Uint8Array([...new Uint8Array(sector * 512), ...dataOf(bio)]),
              sector,
            );
            if (isThere !== (status === BioStatus.Ok)) told.push(`sector ${String(sector)}`);
          };
        return {
          tasks: {
            alice: async (task) => {
              await loop.bind({ file, sizeLimitBytes: 8192 }, task);
              world.scheduler.spawn("bob", writer(1));
            },
          },
          check: () => (filesystem.transaction.owner === null ? told : ["X.tx is still held"]),
        };
      },
      { strategy: "dpor", faults: { allocFail: 1 }, require: "proof" },
    ),
  );
});
