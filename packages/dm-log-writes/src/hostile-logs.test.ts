import { SECTOR_BYTES } from "@blkstack/bio";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { sourceOfBytes, targetOf } from "../test/log-of.ts";
import { inspectLog, LogError, type LogProblem, replayLog, type ReplayTarget } from "./index.ts";
import { encodeHead, encodeSuper } from "./log-format.ts";

const DEVICE_SECTORS = 16;

interface Entry {
  readonly block: bigint;
  readonly blockCount: bigint;
  readonly flags: bigint;
  readonly textBytes: bigint;
}

/** A log with these entries, whatever they say, in a file of so many sectors. */
function logOf(entries: readonly Partial<Entry>[], sectors = 40): Uint8Array {
  const bytes = new Uint8Array(sectors * SECTOR_BYTES);
  encodeSuper(bytes, entries.length, SECTOR_BYTES);
  let at = SECTOR_BYTES;
  for (const entry of entries) {
    const head: Entry = { block: 0n, blockCount: 0n, flags: 0n, textBytes: 0n, ...entry };
    if (at + 32 <= bytes.length) encodeHead(bytes.subarray(at), head);
    at += SECTOR_BYTES * (1 + ((head.flags & 4n) === 0n ? Number(head.blockCount) : 0));
  }
  return bytes;
}

/** A disk that must never be asked for what it does not have. */
function guarded(): ReplayTarget {
  const inner = targetOf(new Uint8Array(DEVICE_SECTORS * SECTOR_BYTES));
  const check = (sector: number, sectors: number): void => {
    if (sector < 0 || sector + sectors > DEVICE_SECTORS || !Number.isSafeInteger(sector)) {
      throw new Error(`asked for ${String(sector)}+${String(sectors)}`);
    }
  };
  return {
    sizeSectors: DEVICE_SECTORS,
    write(sector, bytes) {
      check(sector, bytes.length / SECTOR_BYTES);
      return inner.write(sector, bytes);
    },
    discard(sector, sectors) {
      check(sector, sectors);
      return inner.discard(sector, sectors);
    },
  };
}

/** Why a replay is refused; null: it is not. */
async function problemOf(
  bytes: Uint8Array,
  to?: string | number,
  target = guarded(),
): Promise<LogProblem | null> {
  try {
    await replayLog(sourceOfBytes(bytes), target, to === undefined ? {} : { to });
    return null;
  } catch (error) {
    if (error instanceof LogError) return error.problem;
    throw error;
  }
}

const u64 = fc.oneof(fc.bigInt({ min: 0n, max: 20n }), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }));

describe("a log that lies", () => {
  it("is found out, whatever it says, and nothing outside the disk is asked for", async () => {
    const entry = fc.record({
      block: u64,
      blockCount: u64,
      flags: fc.oneof(fc.bigInt({ min: 0n, max: 31n }), u64),
      textBytes: u64,
    });
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 8 }), u64, async (entries, claimed) => {
        const bytes = logOf(
          entries.map((each) => (each.blockCount > 8n ? { ...each, blockCount: 8n } : each)),
        );
        new DataView(bytes.buffer).setBigUint64(16, claimed, true);
        const report = await inspectLog(sourceOfBytes(bytes));
        expect(report.entries).toBeLessThanOrEqual(40);
        await problemOf(bytes);
      }),
      { numRuns: 300 },
    );
  });

  it("with any of its bytes changed, or cut off anywhere, is read or refused", async () => {
    const good = logOf([
      { block: 1n, blockCount: 2n },
      { flags: 8n, textBytes: 3n },
      { block: 3n, blockCount: 4n, flags: 4n },
      { flags: 1n },
      { block: 0n, blockCount: 1n, flags: 2n },
    ]);
    const at = fc.nat({ max: 8 * SECTOR_BYTES });
    const changes = fc.array(fc.tuple(at, fc.nat({ max: 255 })), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(changes, fc.nat({ max: good.length }), async (wrong, length) => {
        const bytes = good.slice(0, length);
        for (const [offset, byte] of wrong) if (offset < length) bytes[offset] = byte;
        const report = await inspectLog(sourceOfBytes(bytes));
        const problem = await problemOf(bytes);
        if (report.problem !== null) expect(problem).not.toBeNull();
      }),
      { numRuns: 500 },
    );
  });

  it("or is no log at all, is refused", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (bytes) => {
        const { problem } = await inspectLog(sourceOfBytes(bytes));
        expect(problem?.kind).toMatch(/^(?:truncated|bad-magic)$/);
      }),
    );
  });

  it.each<[string, Uint8Array, LogProblem]>([
    ["ends inside its data", logOf([{ blockCount: 100n }]), "truncated"],
    ["ends before an entry", logOf([{}, {}], 2), "truncated"],
    ["names a sector that no device has", logOf([{ block: 2n ** 63n }]), "absurd-entry"],
    ["writes behind the end of the disk", logOf([{ block: 16n, blockCount: 1n }]), "beyond-target"],
    ["discards it", logOf([{ block: 15n, blockCount: 2n, flags: 4n }]), "beyond-target"],
    ["has a mark longer than its block", logOf([{ flags: 8n, textBytes: 481n }]), "bad-mark"],
  ])("that %s is refused", async (_what, bytes, problem) => {
    expect(await problemOf(bytes)).toBe(problem);
  });

  it.each<[string, number, number, LogProblem]>([
    ["magic", 0, 1, "bad-magic"],
    ["version", 8, 2, "bad-version"],
    ["block size", 24, 1000, "bad-block-size"],
    ["block size", 24, 0, "bad-block-size"],
    ["block size", 24, 131_072, "bad-block-size"],
  ])("about its %s (byte %i is %i) is refused", async (_what, at, value, problem) => {
    const bytes = logOf([{}]);
    new DataView(bytes.buffer).setUint32(at, value, true);
    expect(await problemOf(bytes)).toBe(problem);
  });
});

describe("a replay", () => {
  it("does nothing at all when what is asked for is not there, or does not fit", async () => {
    const disk = new Uint8Array(4 * SECTOR_BYTES);
    const bytes = logOf([{ blockCount: 1n }, { block: 2n, blockCount: 8n }]);
    bytes.fill(7, 2 * SECTOR_BYTES, 3 * SECTOR_BYTES);
    expect(await problemOf(bytes, undefined, targetOf(disk))).toBe("beyond-target");
    expect(await problemOf(bytes, "no such mark", targetOf(disk))).toBe("beyond-target");
    expect(disk.every((byte) => byte === 0)).toBe(true);
    // But what is not asked for need not fit.
    expect(await problemOf(bytes, 1, targetOf(disk))).toBeNull();
    expect(disk[0]).toBe(7);
  });

  it("of an empty discard, wherever it is for, discards nothing", async () => {
    expect(await problemOf(logOf([{ block: 17n, flags: 4n }]))).toBeNull();
  });

  it.each(["none", 3])("to %s, which is not there, is refused", async (to) => {
    expect(await problemOf(logOf([{ flags: 8n }, {}]), to)).toBe("not-there");
  });

  it("to entry 0 is none, and to a mark that is there twice ends at the first", async () => {
    const bytes = logOf([{ flags: 8n }, { flags: 8n }]);
    const replayed = (to: string | number) =>
      replayLog(sourceOfBytes(bytes), guarded(), { to }).then(({ entries }) => entries);
    expect([await replayed(0), await replayed("")]).toEqual([0, 1]);
  });

  it("of a write larger than what is moved at once moves all of it", async () => {
    const sectors = 5000;
    const bytes = logOf([{ block: 3n, blockCount: BigInt(sectors) }], sectors + 2);
    for (let at = 2 * SECTOR_BYTES; at < bytes.length; at += 1) bytes[at] = at % 251;
    const disk = new Uint8Array((sectors + 3) * SECTOR_BYTES);
    await replayLog(sourceOfBytes(bytes), targetOf(disk));
    const data = bytes.subarray(2 * SECTOR_BYTES);
    expect(Buffer.compare(disk.subarray(3 * SECTOR_BYTES), data)).toBe(0);
  });

  it("to a disk that will not be written, or from a log that will not be read, says so", async () => {
    const bytes = logOf([{ blockCount: 1n }]);
    const no = { sizeSectors: 16, write: () => false, discard: () => false };
    expect(await problemOf(bytes, undefined, no)).toBe("unwritable");
    expect(await problemOf(logOf([{ blockCount: 1n, flags: 4n }]), undefined, no)).toBe(
      "unwritable",
    );
    const unreadable = { sizeBytes: 4096, read: () => false };
    const { problem } = await inspectLog(unreadable);
    expect(problem?.kind).toBe("unreadable");
  });
});
