import { BioOp, BioStatus } from "@blkstack/bio";
import { choosesFailures } from "@blkstack/memory";
import type { Task } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import fc from "fast-check";
import { expect, it } from "vitest";
import { BLOCK_BYTES, Setting } from "../test/setting.ts";
import { type BufioClient, fsFlag, ioFlag, trylockAlways, workQueue } from "./index.ts";

/** Each user has blocks of its own, so that it knows what they must contain. */
const BLOCKS_EACH = 6;

const action = fc.record({
  kind: fc.constantFrom(
    "read",
    "read",
    "write",
    "write",
    "patch",
    "prefetch",
    "forget",
    "write-all",
    "write-some",
    "write-async",
  ),
  at: fc.nat(BLOCKS_EACH - 1),
  byte: fc.integer({ min: 1, max: 255 }),
});
type Action = typeof action extends fc.Arbitrary<infer Value> ? Value : never;

const worlds = fc.record({
  users: fc.array(fc.array(action, { maxLength: 15 }), { minLength: 1, maxLength: 4 }),
  seed: fc.nat(),
  reservedBuffers: fc.integer({ min: 1, max: 3 }),
  limit: fc.constantFrom(1, 3, 100),
  memoryFailures: fc.constantFrom(0, 20, 1000),
  totalPages: fc.constantFrom(0, 24),
  shrinker: fc.constantFrom(workQueue, trylockAlways, fsFlag, ioFlag),
  fails: fc.boolean(),
});

class User {
  readonly #client: BufioClient;
  readonly #first: number;
  readonly #model = new Array<number>(BLOCKS_EACH).fill(0);
  /** Blocks of which a write may have failed: they are what they were, or what they became. */
  readonly #before: Set<number>[] = Array.from({ length: BLOCKS_EACH }, () => new Set([0]));
  readonly #mayFail: () => boolean;
  readonly complaints: string[] = [];

  constructor(client: BufioClient, index: number, mayFail: () => boolean) {
    this.#client = client;
    this.#first = index * BLOCKS_EACH;
    this.#mayFail = mayFail;
  }

  async run(actions: readonly Action[], task: Task): Promise<void> {
    for (const each of actions) await this.#do(each, task);
    for (let at = 0; at < BLOCKS_EACH; at += 1) await this.#read(at, task);
  }

  isRight(at: number, byte: number): boolean {
    if (byte === this.#model[at]) return true;
    return this.#mayFail() && this.#before[at]?.has(byte) === true;
  }

  async #do({ kind, at, byte }: Action, task: Task): Promise<void> {
    const client = this.#client;
    const block = this.#first + at;
    if (kind === "read") await this.#read(at, task);
    else if (kind === "write") await this.#write(at, byte, task);
    else if (kind === "patch") await this.#patch(at, byte, task);
    else if (kind === "prefetch") await client.prefetch(block, 2, task);
    else if (kind === "forget") client.forget(block);
    else if (kind === "write-all") await client.writeDirty(task);
    else if (kind === "write-some") await client.writeBlocks(block, block + 2, task);
    else await client.writeDirtyAsync(task);
  }

  async #read(at: number, task: Task): Promise<void> {
    const buffer = await this.#client.read(this.#first + at, task);
    if (typeof buffer === "number") {
      if (!this.#mayFail()) this.complaints.push(`a read failed: ${String(buffer)}`);
      return;
    }
    for (const byte of [buffer.data[0] ?? -1, buffer.data[BLOCK_BYTES - 1] ?? -1]) {
      if (!this.isRight(at, byte)) this.complaints.push(`${String(at)} has ${String(byte)}`);
    }
    this.#client.release(buffer, task);
  }

  async #write(at: number, byte: number, task: Task): Promise<void> {
    const buffer = await this.#client.new(this.#first + at, task);
    if (typeof buffer === "number") return;
    this.#become(at, byte);
    buffer.data.fill(byte);
    this.#client.markDirty(buffer);
    this.#client.release(buffer, task);
  }

  /** Changes a block little by little, letting go of it last. */
  async #patch(at: number, byte: number, task: Task): Promise<void> {
    const buffer = await this.#client.read(this.#first + at, task);
    if (typeof buffer === "number") return;
    this.#become(at, byte);
    for (const [start, end] of [
      [0, 1000],
      [1000, BLOCK_BYTES],
    ] as const) {
      buffer.data.fill(byte, start, end);
      this.#client.markDirty(buffer, start, end);
    }
    this.#client.release(buffer, task);
  }

  #become(at: number, byte: number): void {
    this.#before[at]?.add(byte);
    this.#model[at] = byte;
  }
}

it("random users on random schedules, with little memory and random errors, find what they wrote", async () => {
  await fc.assert(
    fc.asyncProperty(worlds, async (world) => {
      const { users, seed, reservedBuffers, limit, memoryFailures, totalPages } = world;
      const scheduler: VirtualScheduler = new VirtualScheduler({
        seed,
        interrupts: "queued",
        choose: (_what, count) => scheduler.random.below(count),
      });
      const setting = new Setting(scheduler, {
        memory: totalPages === 0 ? {} : { pages: { totalPages, minPages: 0, lowPages: 0 } },
        caches: { cacheBytes: limit * BLOCK_BYTES, retainBytes: 0 },
      });
      const client = setting.client({
        reservedBuffers,
        minimumBuffers: 1,
        shrinker: world.shrinker,
      });
      setting.memory.faultPlan = choosesFailures(scheduler, memoryFailures);
      const { fails } = setting.watching;
      let mayFail = false;
      const all = users.map((_actions, index) => new User(client, index, () => mayFail));
      users.forEach((actions, index) => {
        scheduler.spawn(`user ${String(index)}`, (task) => all[index]?.run(actions, task));
      });
      if (world.fails) {
        mayFail = true;
        fails.set(BioOp.Write, BioStatus.Medium);
        scheduler.spawn("luck", async (task) => {
          for (let turn = 0; turn < 3; turn += 1) await client.prefetch(1000 + turn, 1, task);
          fails.clear();
        });
      }
      for (let round = 0; round < 3; round += 1) await scheduler.advance(10_000);
      fails.clear();
      const { buffers, dirtyBuffers, currentBytes } = client.counters;
      expect(scheduler.sleepers().map(({ label }) => label)).toEqual([]);
      expect(buffers).toBeGreaterThanOrEqual(dirtyBuffers);
      expect(currentBytes).toBeGreaterThanOrEqual(buffers * BLOCK_BYTES);
      await scheduler.perform("end", (task) => client.destroy(task));
      expect(setting.caches.currentBytes).toBe(0);
      expect(setting.memory.freePages).toBe(totalPages === 0 ? Infinity : totalPages);
      for (const [index, user] of all.entries()) {
        expect(user.complaints).toEqual([]);
        for (let at = 0; at < BLOCKS_EACH; at += 1) {
          const byte = setting.onDisk(index * BLOCKS_EACH + at);
          expect(user.isRight(at, byte), `block ${String(at)} on disk`).toBe(true);
        }
      }
    }),
    { numRuns: 150 },
  );
});
