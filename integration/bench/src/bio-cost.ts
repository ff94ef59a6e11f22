import { createHook } from "node:async_hooks";
import type { BioOp } from "@blkstack/bio";
import { type Bio, PAGE_BYTES, type Page } from "@blkstack/bio";
import { BioSet } from "@blkstack/bio-set";
import type { BlockDevice, Submitter } from "@blkstack/block";
import { MakeRequest } from "@blkstack/make-request";
import { Memory } from "@blkstack/memory";
import { GFP_NOIO, isPending, type Task } from "@blkstack/task";
import { EventLoopScheduler } from "@blkstack/task/node";

export const SIZE_SECTORS: number = 1 << 20;
const BIO_SECTORS = 8;
const BIOS_PER_ROUND = 20_000;
const ROUNDS = 100;
const BIOS_WATCHED = 100_000;

/** What one bio of 4 KiB costs from its allocation to its end. */
export interface BioCost {
  readonly ns: number;
  readonly heapBytes: number;
  readonly promises: number;
}

/** What devices are made of. */
export interface Ground {
  readonly scheduler: EventLoopScheduler;
  readonly memory: Memory;
  readonly submitter: Submitter;
  readonly task: Task;
}

/** Does something in a task of the event loop, on fresh ground. */
export function onGround<T>(
  body: (ground: Ground) => Promise<T>,
  { isCounting = false }: { readonly isCounting?: boolean } = {},
): Promise<T> {
  const scheduler = new EventLoopScheduler();
  const memory = new Memory({ scheduler });
  const submitter = new MakeRequest(isCounting ? { accountClock: scheduler.clock } : {});
  return new Promise((resolve, reject) => {
    scheduler.spawn("bench", (task) =>
      body({ scheduler, memory, submitter, task }).then(resolve, reject),
    );
  });
}

/** Sends bios one after the other through a device on which none has to wait. */
export class BioLoad {
  readonly #set: BioSet;
  readonly #submitter: Submitter;
  readonly #task: Task;
  readonly #page: Page = { bytes: new Uint8Array(PAGE_BYTES), frame: 0 };
  #ended = 0;
  readonly #countEnd = (bio: Bio): void => {
    this.#ended += 1;
    bio.put();
  };

  constructor({ scheduler, memory, submitter, task }: Ground) {
    this.#set = new BioSet({ name: "bench", scheduler, memory, poolSize: 2, needBvecs: true });
    this.#submitter = submitter;
    this.#task = task;
  }

  /** Time is that of the least disturbed of many short rounds: the others tell of other work. */
  cost(device: BlockDevice, op: BioOp): BioCost {
    let leastNs = Infinity;
    for (let round = 0; round < ROUNDS; round += 1)
      leastNs = Math.min(leastNs, this.#round(device, op));
    return { ns: leastNs, ...this.#watch(device, op) };
  }

  /** Several in turn, round by round, so that what disturbs one disturbs all; ns per bio of each. */
  compare(loads: readonly { readonly device: BlockDevice; readonly op: BioOp }[]): number[] {
    const leastNs = loads.map(() => Infinity);
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [index, { device, op }] of loads.entries()) {
        leastNs[index] = Math.min(leastNs[index] ?? Infinity, this.#round(device, op));
      }
    }
    return leastNs;
  }

  #round(device: BlockDevice, op: BioOp): number {
    const startNs = process.hrtime.bigint();
    this.#send(device, op, BIOS_PER_ROUND);
    return Number(process.hrtime.bigint() - startNs) / BIOS_PER_ROUND;
  }

  /** Few enough bios that no collection falls between the two looks at the heap. */
  #watch(device: BlockDevice, op: BioOp): Omit<BioCost, "ns"> {
    let promises = 0;
    globalThis.gc?.();
    const beforeBytes = process.memoryUsage().heapUsed;
    this.#send(device, op, BIOS_WATCHED);
    const heapBytes = process.memoryUsage().heapUsed - beforeBytes;
    const hook = createHook({
      init: (_id, type) => {
        if (type === "PROMISE") promises += 1;
      },
    }).enable();
    this.#send(device, op, BIOS_WATCHED);
    hook.disable();
    return { heapBytes: heapBytes / BIOS_WATCHED, promises: promises / BIOS_WATCHED };
  }

  #send(device: BlockDevice, op: BioOp, count: number): void {
    const endedBefore = this.#ended;
    for (let sent = 0; sent < count; sent += 1) {
      const bio = this.#set.alloc(GFP_NOIO, 1, this.#task);
      if (bio === null || isPending(bio)) throw new Error("the bench ran out of bios");
      bio.device = device;
      bio.op = op;
      bio.sector = (sent * BIO_SECTORS) % SIZE_SECTORS;
      bio.addPage(this.#page, PAGE_BYTES, 0);
      bio.endIo = this.#countEnd;
      if (isPending(this.#submitter.submitBio(bio, this.#task)))
        throw new Error("a bench bio had to wait");
    }
    if (this.#ended - endedBefore !== count) throw new Error("bench bios were lost");
  }
}
