import { type Bio, BioOp, BioStatus, SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import type { Faults, RamDisk } from "@blkstack/disk-ram";
import { choosesFailures, failsAt } from "@blkstack/memory";
import { VirtualScheduler } from "@blkstack/task/virtual";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pattern } from "@blkstack/block/testing";
import { differsAt, type Outcome, regionOf, Setting, whenCopied } from "../test/setting.ts";
import { CopyFlag, PageReserve } from "./index.ts";

const SUB_JOB_SECTORS = 16;
const AREA: Sectors = 200;
const COPIES_MAX = 4;
const SOURCE = pattern(COPIES_MAX * AREA);
const BEFORE = pattern(AREA, 99);

/** Some bios fail, and the model knows which sectors those were. */
class RandomFaults implements Faults {
  readonly failedReads = new Set<Sectors>();
  readonly failedWrites = new Set<Sectors>();
  readonly #fails: () => boolean;

  constructor(fails: () => boolean) {
    this.#fails = fails;
  }

  statusOf(bio: Bio): BioStatus {
    if (!this.#fails()) return BioStatus.Ok;
    const failed = bio.op === BioOp.Read ? this.failedReads : this.failedWrites;
    for (let sector = bio.sector; sector < bio.endSector; sector += 1) failed.add(sector);
    return BioStatus.Medium;
  }
}

const copies = fc.array(
  fc.record({
    from: fc.nat(30),
    to: fc.nat(30),
    sectors: fc.nat(AREA - 31),
    destinations: fc.integer({ min: 1, max: 3 }),
    flags: fc.constantFrom(0, CopyFlag.IgnoreError, CopyFlag.WriteSeq),
  }),
  { minLength: 1, maxLength: COPIES_MAX },
);

const worlds = fc.record({
  copies,
  seed: fc.nat(),
  failPercent: fc.constantFrom(0, 5, 30),
  memoryFailures: fc.constantFrom(0, 50),
});

describe("random copies on random schedules, with random errors", () => {
  it("end once each, leave all other bytes alone, and answer for every sector", async () => {
    await fc.assert(
      fc.asyncProperty(worlds, async ({ copies: wanted, seed, failPercent, memoryFailures }) => {
        const scheduler: VirtualScheduler = new VirtualScheduler({
          seed,
          interrupts: "queued",
          choose: (_what, count) => scheduler.random.below(count),
        });
        const setting = new Setting(scheduler);
        const subJobBytes = SUB_JOB_SECTORS * SECTOR_BYTES;
        const source = setting.disk("source");
        source.poke(0, SOURCE);
        const pageSource = new PageReserve(setting.pages, 2, "reserve");
        const client = setting.client({ subJobBytes, jobReserve: 1, pageSource });
        setting.memory.faultPlan = failsAt(
          ["pages", 'jobs of kcopyd "k"'],
          choosesFailures(scheduler, memoryFailures),
        );
        const runs = wanted.map((copy, number) => {
          const faults = (): RandomFaults =>
            new RandomFaults(() => scheduler.random.below(100) < failPercent);
          const disks = Array.from({ length: copy.destinations }, (_, index) => {
            const disk = setting.disk(`${String(number)}.${String(index)}`, { faults: faults() });
            disk.poke(0, BEFORE);
            return disk;
          });
          const outcomes: Outcome[] = [];
          return { ...copy, disks, outcomes, offset: number * AREA + copy.from };
        });
        const sourceFaults = new RandomFaults(() => scheduler.random.below(100) < failPercent);
        source.faults = sourceFaults;
        for (const { offset, sectors, to, disks, flags, outcomes } of runs) {
          scheduler.spawn("copier", (task) =>
            client.copy(
              {
                source: regionOf(source, offset, sectors),
                destinations: disks.map((disk) => regionOf(disk, to, sectors)),
                flags,
              },
              whenCopied((_task, outcome) => void outcomes.push(outcome)),
              task,
            ),
          );
        }
        await scheduler.run();
        for (const run of runs) expectRight(run, sourceFaults.failedReads);
        await scheduler.perform("end", (task) => client.destroy(task));
        expect([setting.pages.usedPages, client.jobs, scheduler.sleepers()]).toEqual([0, 0, []]);
        expect(scheduler.warnings).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });
});

interface Run {
  readonly offset: Sectors;
  readonly to: Sectors;
  readonly sectors: Sectors;
  readonly flags: number;
  readonly disks: readonly RamDisk[];
  readonly outcomes: readonly Outcome[];
}

function expectRight(
  { offset, to, sectors, flags, disks, outcomes }: Run,
  lost: Set<Sectors>,
): void {
  expect(outcomes).toHaveLength(1);
  const [readErrors = 0, writeErrors = 0] = outcomes[0] ?? [];
  const range = Array.from({ length: sectors }, (_, index) => index);
  expect(readErrors).toBe(range.some((index) => lost.has(offset + index)) ? 1 : 0);
  const isGivenUp = (readErrors | writeErrors) !== 0 && (flags & CopyFlag.IgnoreError) === 0;
  for (const [number, disk] of disks.entries()) {
    const { failedWrites } = disk.faults as RandomFaults;
    expect((writeErrors >> number) & 1).toBe(failedWrites.size > 0 ? 1 : 0);
    const copied = SOURCE.subarray(offset * SECTOR_BYTES);
    expect(differsAt(disk, 0, BEFORE.subarray(0, to * SECTOR_BYTES))).toBe(-1);
    const end = (to + sectors) * SECTOR_BYTES;
    expect(differsAt(disk, to + sectors, BEFORE.subarray(end))).toBe(-1);
    for (const index of range) {
      const start = index * SECTOR_BYTES;
      const data = copied.subarray(start, start + SECTOR_BYTES);
      const old = BEFORE.subarray(
        to * SECTOR_BYTES + start,
        to * SECTOR_BYTES + start + SECTOR_BYTES,
      );
      const holds = (bytes: Uint8Array): boolean => differsAt(disk, to + index, bytes) === -1;
      if (failedWrites.has(to + index)) expect(holds(old)).toBe(true);
      else if (!lost.has(offset + index))
        expect(holds(data) || (isGivenUp && holds(old))).toBe(true);
      else if (isGivenUp) expect(holds(old)).toBe(true);
      else expect(holds(new Uint8Array(SECTOR_BYTES))).toBe(true);
    }
  }
}
