import { Bio, bioEndio, BioFlag, BioOp, type Sectors } from "@blkstack/bio";
import { type BlockDevice, RequestQueue } from "@blkstack/block";
import { type FlushPolicy, perDevice, perTarget } from "@blkstack/device-mapper";
import type { Expectation, Scenario } from "@blkstack/explorer";
import { fifo, lowerFirst, type SubmitOrder } from "@blkstack/make-request";
import { type Task, WorkItem, WorkQueue } from "@blkstack/task";
import { Gate } from "../dm/gate.ts";
import { DmSetting } from "../dm/setting.ts";
import { cutAfterFlush } from "./cut-after-flush.ts";
import { scenarioOf, type Story } from "../story.ts";

/** One flush for all targets of a type, whatever devices they stand on. */
const perType: FlushPolicy = {
  name: "per-type",
  purposes: ({ flushBios = 0 }, type) => Array.from({ length: flushBios }, () => type),
};

/** A flush of a device that uses another one twice, and that one admits one flush at a time. */
export const oneFlushAtATime: Scenario = scenarioOf(
  "one-flush-at-a-time",
  "two flushes come from one bio to a device that admits the second when the first has ended",
  {
    fifo: flushing(
      { submitOrder: fifo },
      "DEADLOCK",
      "what the first sends down is parked behind the second",
    ),
    "lower-first": flushing(
      { submitOrder: lowerFirst },
      "ok",
      "what the first sends down is started first",
    ),
    "own-worker": flushing(
      { submitOrder: fifo, hasWorker: true },
      "ok",
      "first come, first served, but a worker sends it down",
    ),
    "per-device": flushing(
      { submitOrder: fifo, flushes: perDevice },
      "ok",
      "first come, first served, but there is no second: one flush for each device",
    ),
    "per-device-cut": cutAfterFlush(
      perDevice,
      "ok",
      "one flush for each device makes durable what lines that share it were given",
    ),
    "per-type-cut": cutAfterFlush(
      perType,
      "LOST_WRITE",
      "M12: one flush for each type of target, and of two devices one is not flushed",
    ),
  },
);

interface Way {
  readonly submitOrder: SubmitOrder;
  /** Every target its own flush, unless told. */
  readonly flushes?: FlushPolicy;
  /** Whether a worker of the array sends its flushes down; no, unless told. */
  readonly hasWorker?: boolean;
}

function flushing(
  { submitOrder, flushes = perTarget, hasWorker = false }: Way,
  expect: Expectation,
  summary: string,
): Story {
  return {
    expect,
    summary,
    strategy: "dpor",
    async build(world) {
      const setting = new DmSetting(world, { way: { submitOrder }, flushes });
      const array = new FlushingArray(setting, hasWorker);
      setting.add(array);
      const device = await setting.create("top", "0 8 linear array 0", "8 8 linear array 8");
      const flags = BioFlag.Preflush;
      setting.spawn("flusher", { device, op: BioOp.Write, sector: 0, sectors: 0, flags });
    },
  };
}

/** A device that passes flushes on to its disk, one at a time. */
class FlushingArray implements BlockDevice {
  readonly name = "array";
  readonly sizeSectors: Sectors;
  readonly isReadOnly = false;
  readonly queue: RequestQueue;
  readonly #setting: DmSetting;
  readonly #disk: BlockDevice;
  readonly #gate = new Gate("flush of array");
  readonly #worker: WorkQueue | null;

  constructor(setting: DmSetting, hasWorker: boolean) {
    const { scheduler } = setting.world;
    this.#setting = setting;
    this.#disk = setting.disk("sda", { hasVolatileCache: true });
    this.sizeSectors = this.#disk.sizeSectors;
    this.queue = new RequestQueue(this.name, this.#disk.queue.limits);
    const options = { scheduler, name: "array", reclaimGuaranteed: true };
    this.#worker = hasWorker ? new WorkQueue(options) : null;
  }

  async submitBio(bio: Bio, task: Task): Promise<void> {
    const below = new Bio();
    below.op = BioOp.Write;
    below.flags = BioFlag.Preflush;
    below.device = this.#disk;
    below.endIo = () => {
      this.#gate.open(task.scheduler);
      bioEndio(bio);
    };
    await this.#gate.pass(below, task);
    const { submitter } = this.#setting;
    if (this.#worker === null) await submitter.submitBio(below, task);
    else this.#worker.queue(new WorkItem("flush", (worker) => submitter.submitBio(below, worker)));
  }
}
