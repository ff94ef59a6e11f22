import fc from "fast-check";
import { expect, it } from "vitest";
import type { SgEntry } from "@blkstack/blk-map";
import { cdb16, NDOB, UNMAP, unmap, unmapList } from "../test/cdbs.ts";
import {
  bytesOf,
  entry,
  listOf,
  NOTHING_MISSING,
  page,
  SECTORS,
  Setting,
} from "../test/setting.ts";
import { Opcode, ScsiStatus, SenseKey } from "./index.ts";

const LIMITS = [
  {},
  { dmaAlignmentMask: 511, maxSegments: 3, maxHwSectors: 16, maxSectors: 16 },
  { dmaAlignmentMask: 3, maxSegments: 2, maxWriteZeroesSectors: 0, isGapless: true },
  { maxHwSectors: 8, maxSectors: 8, maxDiscardSectors: 3, maxSegmentBytes: 1024 },
];
const BLOCKS_MAX = 20;

/** Where a list is cut, and where each of its parts lies in its page. */
const scatter = fc.record({
  cuts: fc.array(fc.integer({ min: 1, max: BLOCKS_MAX * 512 - 1 }), { maxLength: 6 }),
  odd: fc.array(fc.constantFrom(0, 512, 3, 1024), { minLength: 1, maxLength: 4 }),
  isEven: fc.boolean(),
});

function scattered(
  bytes: number,
  how: typeof scatter extends fc.Arbitrary<infer T> ? T : never,
): SgEntry[] {
  const cuts = how.cuts
    .map((at) => (how.isEven ? at - (at % 512) : at))
    .filter((at) => at < bytes)
    .sort((left, right) => left - right);
  return [...cuts, bytes].map((end, index) => {
    const length = end - (index === 0 ? 0 : (cuts[index - 1] ?? 0));
    const offset = how.odd[index % how.odd.length] ?? 0;
    return entry(
      { bytes: new Uint8Array(offset + length), frame: 100 * (index + 1) },
      offset,
      length,
    );
  });
}

const step = fc.record({
  what: fc.constantFrom("write", "read", "unmap", "same", "zero"),
  lba: fc.integer({ min: 0, max: 60 }),
  blocks: fc.integer({ min: 1, max: BLOCKS_MAX }),
  seed: fc.integer({ min: 0, max: 255 }),
  scatter,
});

it("whatever is written, unmapped and zeroed, a disk has what an array has", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...LIMITS),
      fc.array(step, { maxLength: 12 }),
      async (limits, steps) => {
        const setting = new Setting({ limits });
        const model = new Uint8Array(SECTORS * 512);
        for (const { what, lba, blocks, seed, scatter: how } of steps) {
          const range = [lba * 512, (lba + blocks) * 512] as const;
          const wish = { lba, blocks };
          const memory = scattered(blocks * 512, how);
          for (const [
            index,
            {
              page: { bytes },
            },
          ] of memory.entries())
            bytes.fill(seed + index);
          const block = Uint8Array.from({ length: 512 }, (_, at) => (at * seed) & 0xff);
          const parameters = unmapList([lba, blocks]);
          const commands = {
            write: { cdb: cdb16(Opcode.Write16, wish), dataOut: memory },
            read: { cdb: cdb16(Opcode.Read16, wish), dataIn: memory },
            unmap: { cdb: unmap(parameters.length), dataOut: listOf(parameters) },
            same: { cdb: cdb16(Opcode.WriteSame16, wish), dataOut: listOf(block) },
            zero: { cdb: cdb16(Opcode.WriteSame16, { ...wish, flags: NDOB | UNMAP }) },
          };
          expect((await setting.execute(commands[what])).status).toBe(ScsiStatus.Good);
          if (what === "write") model.set(bytesOf(memory), range[0]);
          else if (what === "read") expect(bytesOf(memory)).toEqual(model.slice(...range));
          else if (what === "same")
            for (let at = range[0]; at < range[1]; at += 512) model.set(block, at);
          else model.fill(0, ...range);
        }
        expect(Buffer.compare(setting.peek(0, SECTORS), model)).toBe(0);
        expect(setting.missing).toEqual(NOTHING_MISSING);
      },
    ),
    { numRuns: 60 },
  );
});

const anyNumber = fc.oneof(
  fc.integer({ min: 0, max: 5000 }),
  fc.constantFrom(-1, NaN, Infinity, 0.5, 2 ** 53),
);
const hostileList = fc.array(
  fc
    .record({ offset: anyNumber, length: anyNumber })
    .map(({ offset, length }) => entry(page(0x11), offset, length)),
  { maxLength: 4 },
);
const honestList = fc.array(
  fc
    .record({
      offset: fc.integer({ min: 0, max: 2048 }),
      length: fc.integer({ min: 0, max: 2048 }),
    })
    .map(({ offset, length }) => entry(page(0x11), offset, length)),
  { maxLength: 9 },
);
const hostileCdb = fc
  .record({
    opcode: fc.oneof(fc.constantFrom(...Object.values(Opcode)), fc.nat(255)),
    rest: fc.uint8Array({ maxLength: 20 }),
    isTame: fc.boolean(),
  })
  .map(({ opcode, rest, isTame }) => {
    const cdb = Uint8Array.from([opcode, ...rest]);
    // Small numbers get further than large ones.
    return isTame ? cdb.map((byte, at) => (at === 0 || at % 3 === 2 ? byte : byte & 0x09)) : cdb;
  });

it("whatever a command says, it is answered, with sense data or without, and keeps nothing", async () => {
  const lists = fc.oneof(honestList, hostileList);
  const device = fc.record({ isReadOnly: fc.boolean(), limits: fc.constantFrom(...LIMITS) });
  await fc.assert(
    fc.asyncProperty(hostileCdb, lists, lists, device, async (cdb, dataIn, dataOut, options) => {
      const setting = new Setting(options);
      const { status, sense, movedBytes } = await setting.execute({ cdb, dataIn, dataOut });
      if (status === ScsiStatus.CheckCondition) {
        expect(sense).toHaveLength(18);
        expect(sense?.[0]).toBe(0x70);
        expect(Object.values(SenseKey)).toContain(sense?.[2]);
        expect(movedBytes).toBe(0);
      } else {
        expect([status, sense]).toEqual([ScsiStatus.Good, null]);
      }
      expect(setting.missing).toEqual(NOTHING_MISSING);
      for (const {
        page: { bytes },
        offset,
        length,
      } of dataIn) {
        // What is not in the list is not touched.
        const from = Math.max(Number.isSafeInteger(offset) ? offset : 0, 0);
        const end = Number.isSafeInteger(length) && length > 0 ? from + length : from;
        expect(bytes.every((byte, at) => byte === 0x11 || (at >= from && at < end))).toBe(true);
      }
    }),
    { numRuns: 400 },
  );
});
