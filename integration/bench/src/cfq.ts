import { Bio, BioOp } from "@blkstack/bio";
import { type CfqClient, CfqQueue } from "@blkstack/cfq";
import { NullDisk } from "@blkstack/disk-ram";
import { PerCpuAllocator } from "@blkstack/memory";
import { Completion, isPending, type Task } from "@blkstack/task";
import Table from "cli-table3";
import { BioLoad, onGround, SIZE_SECTORS } from "./bio-cost.ts";
import { benchCfqShares, CfqGround } from "./cfq-shares.ts";

const ACTIVE = [1, 100, 10_000];
const PER_TURN = [1, 16];
const BIOS = 160_000;
const ROUNDS = 5;
const IDLE_GROUPS = 10_000;

/** What a queue of weighted groups takes, and whether shares are what weights say. */
export async function benchCfq(rounds: number, seconds: number): Promise<void> {
  await benchAlone();
  const table = new Table({ head: ["active groups", "bios a turn", "ns per bio"] });
  for (const perTurn of PER_TURN) {
    for (const groups of ACTIVE) {
      table.push([String(groups), String(perTurn), (await waitingNs(groups, perTurn)).toFixed(0)]);
    }
  }
  console.log(table.toString());
  const { heapBytes, sharedBytes } = await idleGroup();
  console.log(
    `an idle group takes ${heapBytes.toFixed(0)} bytes of heap, ${sharedBytes.toFixed(0)} of them shared`,
  );
  await benchCfqShares(rounds, seconds);
}

/** A client that nobody is in the way of, beside the disk itself. */
async function benchAlone(): Promise<void> {
  const table = new Table({
    head: ["one client", "ns per bio", "heap bytes per bio", "promises per bio"],
  });
  await onGround(async (ground) => {
    const { scheduler, memory, task } = ground;
    const device = new NullDisk({ name: "null", sizeSectors: SIZE_SECTORS, scheduler });
    const statsMemory = new PerCpuAllocator({ memory });
    const queue = await CfqQueue.create({ name: "bench", device, statsMemory, ...ground }, task);
    const client = queue.openClient({ name: "client", group: "group" });
    for (const [name, sharer] of [
      ["the disk", device],
      ["through the queue", client],
    ] as const) {
      const { ns, heapBytes, promises } = new BioLoad(ground).cost(sharer, BioOp.Read);
      table.push([name, ns.toFixed(0), heapBytes.toFixed(2), promises.toFixed(4)]);
    }
    await queue.destroy(task);
  });
  console.log(table.toString());
}

/** All bios of all groups at once, on a disk that does nothing; the least of some rounds. */
async function waitingNs(groups: number, perTurn: number): Promise<number> {
  const ground = new CfqGround();
  const { scheduler } = ground;
  const disk = new NullDisk({ name: "null", sizeSectors: SIZE_SECTORS, scheduler });
  // A queue that has run empty is not waited for: that would be time, not work.
  const queue = await ground.createQueue(disk, { idleTicks: 0 });
  const clients = Array.from({ length: groups }, (_, number) => openClient(queue, number));
  const burst = new Burst(ground, clients, perTurn);
  const passes = Math.max(1, Math.floor(BIOS / burst.size));
  const leastNs = await ground.perform(async (task) => {
    let least = Infinity;
    for (let round = 0; round < ROUNDS; round += 1) {
      const startNs = nowNs();
      for (let pass = 0; pass < passes; pass += 1) await burst.send(task);
      least = Math.min(least, nowNs() - startNs);
    }
    return least;
  });
  await ground.perform((task) => queue.destroy(task));
  return leastNs / (passes * burst.size);
}

/** Some bios of each client, sent together. */
class Burst {
  readonly #ground: CfqGround;
  readonly #bios: readonly { readonly client: CfqClient; readonly bio: Bio }[];
  readonly #end: Completion;
  #left = 0;
  readonly #countEnd = (): void => {
    this.#left -= 1;
    if (this.#left === 0) this.#end.complete();
  };

  constructor(ground: CfqGround, clients: readonly CfqClient[], each: number) {
    this.#ground = ground;
    this.#bios = clients.flatMap((client) =>
      Array.from({ length: each }, () => ({ client, bio: new Bio() })),
    );
    this.#end = new Completion("burst", { scheduler: ground.scheduler });
  }

  get size(): number {
    return this.#bios.length;
  }

  async send(task: Task): Promise<void> {
    this.#left = this.#bios.length;
    for (const { client, bio } of this.#bios) {
      bio.reset();
      bio.device = client;
      bio.sizeBytes = 4096;
      bio.endIo = this.#countEnd;
      const submitted = this.#ground.submitter.submitBio(bio, task);
      if (isPending(submitted)) await submitted;
    }
    await this.#end.wait(task);
  }
}

/** What is left of a group with its statistics when its client has gone. */
async function idleGroup(): Promise<{ heapBytes: number; sharedBytes: number }> {
  const ground = new CfqGround();
  const { scheduler } = ground;
  const disk = new NullDisk({ name: "null", sizeSectors: SIZE_SECTORS, scheduler });
  const queue = await ground.createQueue(disk, { idleTicks: 0 });
  const before = memoryUsed();
  await ground.perform(async (task) => {
    for (let number = 0; number < IDLE_GROUPS; number += 1) {
      const client = openClient(queue, number);
      await new Burst(ground, [client], 1).send(task);
      await client.close(task);
    }
  });
  // The worker that gets them their statistics.
  await scheduler.idle();
  const after = memoryUsed();
  const sharedBytes = (after.sharedBytes - before.sharedBytes) / IDLE_GROUPS;
  const heapBytes = (after.heapBytes - before.heapBytes) / IDLE_GROUPS + sharedBytes;
  await ground.perform((task) => queue.destroy(task));
  return { heapBytes, sharedBytes };
}

function memoryUsed(): { heapBytes: number; sharedBytes: number } {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return { heapBytes: heapUsed, sharedBytes: arrayBuffers };
}

function openClient(queue: CfqQueue, number: number): CfqClient {
  return queue.openClient({ name: `client ${String(number)}`, group: `group ${String(number)}` });
}

function nowNs(): number {
  return Number(process.hrtime.bigint());
}
