import { BioFlag, BioOp, BioStatus } from "@blkstack/bio";
import { LateDisk } from "@blkstack/conformance";
import { choosesFailures } from "@blkstack/memory";
import type { Task } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import fc from "fast-check";
import { expect, it } from "vitest";
import { Rig } from "../test/rig.ts";

/** Users take every third sector, so that they meet in every block and never in a sector. */
const USERS = 3;
const SECTORS_EACH = 60;
const SECTORS = USERS * SECTORS_EACH + 5;

const action = fc.record({
  kind: fc.constantFrom(
    "read",
    "read",
    "write",
    "write",
    "fua",
    "flush",
    "zero",
    "suspend",
    "look",
  ),
  at: fc.nat(SECTORS_EACH - 1),
  byte: fc.integer({ min: 1, max: 255 }),
});
type Action = typeof action extends fc.Arbitrary<infer Value> ? Value : never;

const worlds = fc.record({
  users: fc.array(fc.array(action, { maxLength: 12 }), { minLength: 1, maxLength: USERS }),
  seed: fc.nat(),
  mode: fc.constantFrom("writeback", "writethrough"),
  blockBytes: fc.constantFrom(512, 2048, 4096),
  bypass: fc.constantFrom(2, 512),
  memoryFailures: fc.constantFrom(0, 30, 1000),
});

class User {
  readonly complaints: string[] = [];
  readonly model = new Array<number>(SECTORS_EACH).fill(0);
  readonly #rig: Rig;
  readonly #index: number;

  constructor(rig: Rig, index: number) {
    this.#rig = rig;
    this.#index = index;
  }

  sectorOf(at: number): number {
    return at * USERS + this.#index;
  }

  async run(actions: readonly Action[], task: Task): Promise<void> {
    for (const each of actions) await this.#do(each, task);
    for (let at = 0; at < SECTORS_EACH; at += 7) await this.#read(at, task);
  }

  async #do({ kind, at, byte }: Action, task: Task): Promise<void> {
    const rig = this.#rig;
    if (kind === "read") await this.#read(at, task);
    else if (kind === "write") await this.#write(at, byte, 0, task);
    else if (kind === "fua") await this.#write(at, byte, BioFlag.Fua, task);
    else if (kind === "flush") this.#expectOk(await rig.flush(task), "flush");
    else if (kind === "zero") await this.#zero(at, task);
    else if (kind === "look") await this.#look(at, task);
    else if (this.#index === 0) {
      await rig.dm.suspend("c", task);
      await rig.dm.resume("c", task);
    }
  }

  async #read(at: number, task: Task): Promise<void> {
    const [byte] = await this.#rig.read(this.sectorOf(at), 1, task);
    if (byte !== this.model[at]) {
      this.complaints.push(`${String(at)}: read ${String(byte)}, not ${String(this.model[at])}`);
    }
  }

  /** Reads what lies about, which is partly others': past the cache, where that is so large. */
  async #look(at: number, task: Task): Promise<void> {
    const first = Math.max(0, this.sectorOf(at) - 20);
    const sectors = await this.#rig.read(first, 21, task);
    if (first + 20 !== this.sectorOf(at)) return;
    if (sectors[20] !== this.model[at])
      this.complaints.push(`${String(at)}: saw ${String(sectors[20])}`);
  }

  async #write(at: number, byte: number, flags: number, task: Task): Promise<void> {
    this.#expectOk(await this.#rig.write(this.sectorOf(at), 1, byte, task, flags), "write");
    this.model[at] = byte;
  }

  async #zero(at: number, task: Task): Promise<void> {
    const op = BioOp.WriteZeroes;
    this.#expectOk(await this.#rig.range(op, this.sectorOf(at), 1, task), "zero");
    this.model[at] = 0;
  }

  #expectOk(status: BioStatus, what: string): void {
    if (status !== BioStatus.Ok) this.complaints.push(`${what}: status ${String(status)}`);
  }
}

it("random users of one cache, on random schedules and with little memory, find what they wrote", async () => {
  await fc.assert(
    fc.asyncProperty(worlds, async ({ users, seed, mode, blockBytes, bypass, memoryFailures }) => {
      const scheduler: VirtualScheduler = new VirtualScheduler({
        seed,
        interrupts: "queued",
        choose: (_what, count) => scheduler.random.below(count),
      });
      const rig = new Rig(scheduler);
      const disk = rig.add(new LateDisk({ name: "base", sizeSectors: SECTORS, scheduler }));
      const features = `3 ${mode} bypass_sectors ${String(bypass)}`;
      const table = `0 ${String(SECTORS)} cache base ${String(blockBytes)} 16 ${features}`;
      await scheduler.perform("begin", (task) => rig.dm.create("c", task, { table }));
      rig.memory.faultPlan = choosesFailures(scheduler, memoryFailures);
      const all = users.map((_actions, index) => new User(rig, index));
      users.forEach((actions, index) => {
        scheduler.spawn(`user ${String(index)}`, (task) => all[index]?.run(actions, task));
      });
      for (let round = 0; round < 10 && scheduler.sleepers().length > 0; round += 1) {
        await scheduler.advance(10_000);
      }
      await scheduler.advance(10_000);
      expect(scheduler.sleepers().map(({ label }) => label)).toEqual([]);
      await scheduler.perform("end", (task) => rig.dm.remove("c", task));
      for (const user of all) {
        expect(user.complaints).toEqual([]);
        user.model.forEach((byte, at) => {
          expect(disk.at(user.sectorOf(at)), `sector ${String(user.sectorOf(at))}`).toBe(byte);
        });
      }
    }),
    { numRuns: 100 },
  );
}, 60_000);
