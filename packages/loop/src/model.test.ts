import { BioOp, BioStatus, SECTOR_BYTES } from "@blkstack/bio";
import { VirtualScheduler } from "@blkstack/task/virtual";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dataOf, pattern, planBio } from "@blkstack/block/testing";
import { OddFile } from "../test/odd-file.ts";
import { Setting } from "../test/setting.ts";
import type { BackingFile } from "./index.ts";
import { SimulatedFilesystem } from "./simulated.ts";

const DEVICE_SECTORS = 64;

/** One command of a history. */
const COMMAND = fc.record({
  op: fc.constantFrom(BioOp.Read, BioOp.Write, BioOp.Write, BioOp.Discard, BioOp.WriteZeroes),
  sector: fc.nat(DEVICE_SECTORS - 1),
  sectors: fc.integer({ min: 1, max: 24 }),
  cuts: fc.array(fc.integer({ min: 1, max: 3000 }), { maxLength: 4 }),
});

type Command = typeof COMMAND extends fc.Arbitrary<infer Value> ? Value : never;

interface Ground {
  readonly file: BackingFile;
  readonly offsetBytes: number;
}

/** Submits all at once and holds what is read, and what is left, to an array of bytes. */
async function holdToModel(
  ground: (setting: Setting) => Ground,
  commands: readonly Command[],
  { seed, workers }: { readonly seed: number; readonly workers: number },
): Promise<void> {
  const scheduler = new VirtualScheduler({ seed });
  const setting = new Setting(scheduler);
  const { file, offsetBytes } = ground(setting);
  const model = new Uint8Array(DEVICE_SECTORS * SECTOR_BYTES);
  const checks: (() => void)[] = [];
  await scheduler.perform("user", async (task) => {
    const sizeLimitBytes = model.length;
    const loop = await setting.bound({ file, offsetBytes, sizeLimitBytes }, task, { workers });
    // A file that is as long as the device, so that every sector can be read.
    const all = planBio({ op: BioOp.WriteZeroes, sector: 0, sectors: DEVICE_SECTORS });
    expect(await setting.run(loop, all, task)).toBe(BioStatus.Ok);
    for (const [number, { op, sector, cuts, ...more }] of commands.entries()) {
      const sectors = Math.min(more.sectors, DEVICE_SECTORS - sector);
      const data = op === BioOp.Write ? pattern(sectors, number + 1) : undefined;
      const bio = planBio({ op, sector, sectors, cuts, ...(data && { data }) });
      const at = sector * SECTOR_BYTES;
      if (data !== undefined) model.set(data, at);
      else if (op !== BioOp.Read) model.fill(0, at, at + sectors * SECTOR_BYTES);
      const wanted = model.slice(at, at + sectors * SECTOR_BYTES);
      checks.push(() => {
        expect(bio.status).toBe(BioStatus.Ok);
        if (op === BioOp.Read) expect(Buffer.compare(dataOf(bio), wanted)).toBe(0);
      });
      bio.device = loop;
      await setting.submitter.submitBio(bio, task);
    }
    await loop.unbind(task);
    for (const check of checks) check();
    const left = new Uint8Array(model.length);
    for (let at = 0; at < left.length;) {
      const count = await file.read([left.subarray(at)], offsetBytes + at, task);
      expect(count).toBeGreaterThan(0);
      at += count;
    }
    expect(Buffer.compare(left, model)).toBe(0);
  });
}

const HISTORY = fc.record({
  commands: fc.array(COMMAND, { minLength: 1, maxLength: 12 }),
  seed: fc.nat(),
  workers: fc.integer({ min: 1, max: 3 }),
});

describe("a loop device is an array of bytes", () => {
  it("over a file that moves as much as it likes at a time", async () => {
    const property = fc.asyncProperty(
      HISTORY,
      fc.nat(5000),
      fc.integer({ min: 400, max: 9000 }),
      async ({ commands, ...how }, offsetBytes, limit) => {
        const file = new OddFile(offsetBytes);
        file.oddity = (call) => (/^(read|write)/.test(call) ? limit : null);
        file.before = (_call, task) =>
          task.scheduler.mayPreempt(task, { object: file, mode: 1, label: "use the file" });
        await holdToModel(() => ({ file, offsetBytes }), commands, how);
      },
    );
    await fc.assert(property, { numRuns: 60 });
  });

  it("over a file of a filesystem on a disk", async () => {
    const property = fc.asyncProperty(HISTORY, fc.nat(5000), async (history, offsetBytes) => {
      const { commands, ...how } = history;
      const ground = (setting: Setting): Ground => {
        const lower = setting.fileOf(setting.disk("sda", 2048));
        const { memory } = setting;
        const filesystem = new SimulatedFilesystem({ name: "X", lower, memory });
        return { file: filesystem.createFile("img"), offsetBytes };
      };
      await holdToModel(ground, commands, how);
    });
    await fc.assert(property, { numRuns: 60 });
  });

  it("over a part of another device", async () => {
    const property = fc.asyncProperty(HISTORY, fc.nat(16), async (history, offsetSectors) => {
      const { commands, ...how } = history;
      const ground = (setting: Setting): Ground => {
        const file = setting.fileOf(setting.disk("sda", DEVICE_SECTORS + 16));
        return { file, offsetBytes: offsetSectors * SECTOR_BYTES };
      };
      await holdToModel(ground, commands, how);
    });
    await fc.assert(property, { numRuns: 60 });
  });
});
