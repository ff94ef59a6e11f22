import { BioOp, invariant } from "@blkstack/bio";
import { defineTarget, MapResult, type TargetType } from "@blkstack/block";
import type { Expectation, Scenario } from "@blkstack/explorer";
import { Completion, Mutex, type Task, WorkItem, WorkQueue } from "@blkstack/task";
import { type AwaitedBio, DmSetting, type Wish } from "../dm/setting.ts";
import { scenarioOf, type Story } from "../story.ts";

/** How a target gets its metadata to disk before it lets a bio pass. */
type Way =
  | "itself"
  | "own worker"
  | "shared worker"
  | "under a lock"
  | "refused"
  | "prefetch"
  | "prefetch refused";

/** What a map submits is parked behind the map; so who waits for it there waits for ever. */
export const ioInsideMap: Scenario = scenarioOf(
  "io-inside-map",
  "a target writes metadata for each bio, and waits for it inside map",
  {
    inside: mapping("itself", "DEADLOCK", "map parks the metadata write, and waits for it"),
    "own-worker": mapping("own worker", "ok", "a worker writes the metadata, and map waits for it"),
    "shared-worker": mapping(
      "shared worker",
      "DEADLOCK",
      "M23: the worker has the bio itself to do, and its metadata after that",
    ),
    "prefetch-under-lock": mapping(
      "under a lock",
      "DEADLOCK",
      "one waits with a lock held for a bio that another has parked, who waits for the lock",
    ),
    "prefetch-refused": mapping("refused", "BUG", "the same, where a read inside map is a defect"),
    "read-refused": mapping(
      "prefetch",
      "DEADLOCK",
      "M24: map only begins a read, which nobody calls a defect; another task waits for it",
    ),
    "read-and-prefetch-refused": mapping(
      "prefetch refused",
      "BUG",
      "the same, where to begin a read inside map is a defect, too",
    ),
  },
);

function mapping(way: Way, expect: Expectation, summary: string): Story {
  return {
    expect,
    summary,
    strategy: "dpor",
    async build(world) {
      const journal = new Journal(world.scheduler, way);
      const setting: DmSetting = new DmSetting(world, { types: [journal.type(() => setting)] });
      setting.disk("sda");
      setting.disk("sdb");
      const device = await setting.create("top", "0 16 journalled sda");
      const write = { device, op: BioOp.Write, sectors: 8 };
      setting.spawn("writer-1", { ...write, sector: 0 });
      if (way === "under a lock" || way === "refused")
        setting.spawn("writer-2", { ...write, sector: 8 });
      if (way.startsWith("prefetch"))
        world.spawn("reader", (task) => journal.read(setting, task), { startsAtFirstStep: true });
    },
  };
}

class Journal {
  readonly #way: Way;
  readonly #queue: WorkQueue;
  readonly #lock = new Mutex("c");
  #prefetch: AwaitedBio | null = null;

  constructor(scheduler: Task["scheduler"], way: Way) {
    this.#way = way;
    const options = { reclaimGuaranteed: true, maxActive: 1 } as const;
    this.#queue = new WorkQueue({ scheduler, name: "journal", ...options });
  }

  type(setting: () => DmSetting): TargetType {
    return defineTarget({
      name: "journalled",
      version: [1, 0, 0],
      apiVersion: 1,
      create: (context) => {
        const device = context.openDevice(context.args[0] ?? "");
        const metadata = context.openDevice("sdb");
        const write = { device: metadata, op: BioOp.Write, sector: 0, sectors: 8 };
        return {
          map: async (bio, task) => {
            bio.device = device;
            if (this.#way === "shared worker") {
              await this.#inWorker(task, async (worker) => {
                await this.#inWorker(worker, (other) => writeOut(setting(), write, other));
              });
              return MapResult.Remapped;
            }
            if (this.#way === "own worker") {
              await this.#inWorker(task, (worker) => writeOut(setting(), write, worker));
            } else if (this.#way === "itself") {
              await writeOut(setting(), write, task);
            } else if (this.#way.startsWith("prefetch")) {
              await this.#beginRead(setting(), task);
            } else {
              await this.#readLocked(setting(), write, task);
            }
            return MapResult.Remapped;
          },
          status: () => "",
          devices: () => [{ device, startSector: 0, sizeSectors: context.sizeSectors }],
        };
      },
    });
  }

  /** Reads what all need, and waits for it with the lock held. Not from inside of a driver call. */
  async read(setting: DmSetting, task: Task): Promise<void> {
    invariant(task.bioLists === null, "a buffer is read inside of a driver call");
    await this.#lock.lock(task);
    await this.#submitOnce(setting, task);
    await this.#prefetch?.wait(task);
    this.#lock.unlock(task);
  }

  /** Only begins to, and looks in again. */
  async #beginRead(setting: DmSetting, task: Task): Promise<void> {
    const isAllowed = this.#way === "prefetch" || task.bioLists === null;
    invariant(isAllowed, "a buffer is prefetched inside of a driver call");
    await this.#lock.lock(task);
    await this.#submitOnce(setting, task);
    this.#lock.unlock(task);
    await this.#lock.lock(task);
    this.#lock.unlock(task);
  }

  async #submitOnce(setting: DmSetting, task: Task): Promise<void> {
    if (this.#prefetch !== null) return;
    const device = setting.lookup("sdb");
    this.#prefetch = setting.bio({ device, op: BioOp.Read, sector: 0, sectors: 8 });
    await this.#prefetch.submit(task);
  }

  /** Has the worker do something. Waits: until it is done. */
  async #inWorker(task: Task, work: (worker: Task) => Promise<void>): Promise<void> {
    const item = new WorkItem("journal", async (worker) => {
      await work(worker);
      done.complete();
    });
    const done = new Completion("journal", {
      scheduler: task.scheduler,
      blockers: () => [item],
    });
    this.#queue.queue(item);
    await done.wait(task);
  }

  /** The first who comes begins the I/O; whoever comes next waits for it, with the lock held. */
  async #readLocked(setting: DmSetting, wish: Wish, task: Task): Promise<void> {
    const isAllowed = this.#way !== "refused" || task.bioLists === null;
    invariant(isAllowed, "a buffer is read inside of a driver call");
    await this.#lock.lock(task);
    if (this.#prefetch === null) {
      this.#prefetch = setting.bio({ ...wish, op: BioOp.Read });
      await this.#prefetch.submit(task);
      this.#lock.unlock(task);
      await this.#lock.lock(task);
    } else {
      await this.#prefetch.wait(task);
    }
    this.#lock.unlock(task);
  }
}

async function writeOut(setting: DmSetting, wish: Wish, task: Task): Promise<void> {
  const bio = setting.bio(wish);
  await bio.submit(task);
  await bio.wait(task);
}
