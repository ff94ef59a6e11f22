import { BioOp, BioStatus, SECTOR_BYTES } from "@blkstack/bio";
import { Memory } from "@blkstack/memory";
import { VirtualScheduler } from "@blkstack/task/virtual";
import fc from "fast-check";
import { expect, it } from "vitest";
import { Bench } from "../test/bench.ts";
import { type Probe, probeType } from "../test/test-targets.ts";
import { offloadBoth } from "./offload.ts";
import { frontClone, loop, remainderClone } from "./split-policy.ts";

const DISK_SECTORS = 64;

interface Piece {
  readonly sector: number;
  readonly sectors: number;
  readonly target: Probe;
}

const lines = fc.array(
  fc.record({
    disk: fc.constantFrom("a", "b"),
    length: fc.integer({ min: 1, max: 9 }),
    maxIo: fc.constantFrom(1, 3, 4, 100),
  }),
  { minLength: 1, maxLength: 6 },
);
const requests = fc.array(
  fc.record({
    isWrite: fc.boolean(),
    from: fc.nat({ max: 999 }),
    length: fc.nat({ max: 999 }),
    byte: fc.integer({ min: 1, max: 255 }),
  }),
  { minLength: 1, maxLength: 8 },
);

it("whatever the table and the bios: every bio ends once, in whole pieces, with the right data", async () => {
  await fc.assert(
    fc.asyncProperty(
      lines,
      requests,
      fc.constantFrom(frontClone, remainderClone, loop),
      fc.record({ seed: fc.nat(), fails: fc.boolean(), isOffloaded: fc.boolean() }),
      async (table, bios, splitPolicy, { seed, fails, isOffloaded }) => {
        const scheduler = new VirtualScheduler({ seed });
        const memory = new Memory({ scheduler });
        const pieces: Piece[] = [];
        const types = [1, 3, 4, 100].map((maxIoSectors) =>
          probeType(
            {
              maxIoSectors,
              map(bio, target) {
                pieces.push({ sector: bio.sector, sectors: bio.sectors, target });
                return undefined;
              },
            },
            `probe${String(maxIoSectors)}`,
          ),
        );
        const offload = isOffloaded ? offloadBoth : null;
        const bench = new Bench({ types, splitPolicy, scheduler, memory, offload });
        let size = 0;
        const text = table.map(({ disk, length, maxIo }, index) => {
          const line = `${String(size)} ${String(length)} probe${String(maxIo)} ${disk} ${String(index * 10)}`;
          size += length;
          return line;
        });
        await bench.create("md", ...text);
        // The reserve of 16 must do, for every policy: no bio here has more pieces in flight.
        if (fails && splitPolicy === frontClone) memory.faultPlan = { fails: () => true };
        const model = new Uint8Array(size * SECTOR_BYTES);
        for (const { isWrite, from, length, byte } of bios) {
          const sector = from % size;
          const sectors = 1 + (length % (size - sector));
          const sent = bench.prepare("md", isWrite ? BioOp.Write : BioOp.Read, sector, sectors);
          const place = model.subarray(sector * SECTOR_BYTES, (sector + sectors) * SECTOR_BYTES);
          if (isWrite) {
            sent.bytes.fill(byte);
            place.fill(byte);
          }
          pieces.length = 0;
          await scheduler.perform("io", async (task) => bench.submitter.submitBio(sent.bio, task));
          expect(sent).toMatchObject({ ends: 1, status: BioStatus.Ok });
          expect(Buffer.compare(sent.bytes, place)).toBe(0);
          expectWholePieces(pieces, sector, sectors);
        }
        const md = bench.dm.get("md");
        expect([md.inFlight.count, md.pools?.liveCount]).toEqual([0, 0]);
      },
    ),
    { numRuns: 150 },
  );
});

/** Ordered, disjoint, complete, and none over the end of a target or over a line within it. */
function expectWholePieces(pieces: readonly Piece[], sector: number, sectors: number): void {
  let next = sector;
  for (const piece of pieces) {
    expect(piece.sector).toBe(next);
    next += piece.sectors;
    const { begin, sizeSectors } = piece.target.context;
    expect(next).toBeLessThanOrEqual(begin + sizeSectors);
    const line = (at: number): number => Math.floor((at - begin) / piece.target.maxIoSectors);
    expect(line(next - 1)).toBe(line(piece.sector));
  }
  expect(next).toBe(sector + sectors);
}

it("bios survive any run of suspends, reloads and resumes, each ending once", async () => {
  const command = fc.constantFrom("suspend", "noflush", "resume", "load", "write", "end");
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 30 }), fc.nat(), async (commands, seed) => {
      const scheduler = new VirtualScheduler({ seed });
      const bench = new Bench({ scheduler });
      await bench.create("md", "0 8 probe a 0", "8 8 probe b 0");
      bench.a.isHolding = true;
      const sent = [];
      for (const [index, what] of commands.entries()) {
        if (what === "write") sent.push(await bench.send("md", BioOp.Write, index % 12, 4));
        else if (what === "end") bench.a.endOne();
        else scheduler.spawn(what, (task) => perform(bench, what, task));
        await scheduler.run();
        const { isSuspended } = bench.dm.info("md");
        if (isSuspended) expect(bench.dm.get("md").inFlight.count).toBe(0);
      }
      bench.a.endAll();
      await scheduler.run();
      await bench.perform((task) => bench.dm.resume("md", task));
      expect(sent.map(({ ends, status }) => [ends, status])).toEqual(
        sent.map(() => [1, BioStatus.Ok]),
      );
      expect(bench.dm.get("md").pools?.liveCount).toBe(0);
    }),
    { numRuns: 100 },
  );
});

async function perform(bench: Bench, what: string, task: Parameters<Bench["dm"]["resume"]>[1]) {
  if (what === "suspend") await bench.dm.suspend("md", task);
  else if (what === "noflush") await bench.dm.suspend("md", task, { noflush: true });
  else if (what === "resume") await bench.dm.resume("md", task);
  else await bench.dm.load("md", `0 ${String(DISK_SECTORS / 4)} probe b 0`, task);
}
