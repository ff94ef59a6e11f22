import { BioFlag, BioOp, BioStatus, createVecs } from "@blkstack/bio";
import { TargetBench } from "@blkstack/conformance";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { flakey } from "./flakey.ts";

const { Ok, IoError } = BioStatus;
const SECTOR_0 = { sector: 0, sectors: 1 };

/** A device over the first 100 sectors of the disk, which hold the byte 1. */
async function deviceOf(args: string): Promise<TargetBench> {
  const bench = new TargetBench({ types: [flakey] });
  bench.a.poke(0, new Uint8Array(100 * 512).fill(1));
  await bench.create(`0 100 flakey a 0 ${args}`);
  return bench;
}

it("up 3 s and down 2 s: it fails from the third second to the fifth, and works again", async () => {
  const bench = await deviceOf("3 2");
  const seen: [atMs: number, status: BioStatus | null][] = [];
  let nowMs = 0;
  for (const atMs of [500, 2900, 3000, 4900, 5000, 7999, 8000, 10_000]) {
    await bench.scheduler.advance(atMs - nowMs);
    nowMs = atMs;
    seen.push([atMs, await bench.write(0, 1, 1)]);
  }
  expect(seen).toEqual([
    [500, Ok],
    [2900, Ok],
    [3000, IoError],
    [4900, IoError],
    [5000, Ok],
    [7999, Ok],
    [8000, IoError],
    [10_000, Ok],
  ]);
});

it("the clock starts when a table is loaded, so a reload starts the cycle again", async () => {
  const bench = await deviceOf("3 2");
  await bench.scheduler.advance(3000);
  expect(await bench.read(0, 1)).toBeNull();
  await bench.perform(async (task) => {
    await bench.dm.load("md", "0 100 flakey a 0 3 2", task);
    await bench.dm.resume("md", task);
  });
  expect(await bench.read(0, 1)).toEqual([1]);
});

it("up, it is linear, whatever it would do when down", async () => {
  const bench = new TargetBench({ types: [flakey] });
  await bench.create("0 10 flakey b 0 1 0", "10 40 flakey a 50 1000 1 1 drop_writes");
  expect(await bench.write(17, 3, 9)).toBe(Ok);
  expect(bench.a.firstBytes({ sector: 56, sectors: 5 })).toEqual([0, 9, 9, 9, 0]);
  expect(await bench.discard(17, 1)).toBe(Ok);
  expect(bench.a.firstBytes({ sector: 57, sectors: 1 })).toEqual([0]);
});

describe("down", () => {
  it.each([
    ["0 5", null, IoError, 1],
    ["0 5 0", null, IoError, 1],
    ["0 5 1 error_writes", [1], IoError, 1],
    ["0 5 1 error_reads", null, Ok, 9],
    ["0 5 2 error_reads error_writes", null, IoError, 1],
    ["0 5 1 drop_writes", [1], Ok, 1],
  ] as const)("with %s", async (args, read, written, onDisk) => {
    const bench = await deviceOf(args);
    expect(await bench.read(0, 1)).toEqual(read);
    expect(await bench.write(0, 1, 9)).toBe(written);
    expect(await bench.flush()).toBe(written);
    expect(bench.a.firstBytes(SECTOR_0)).toEqual([onDisk]);
    expect(await bench.discard(8, 1)).toBe(written);
    const isDiscarded = written === Ok && !args.includes("drop_writes");
    expect(bench.a.firstBytes({ sector: 8, sectors: 1 })).toEqual([isDiscarded ? 0 : 1]);
  });

  it("a byte of each read is another one, in the memory that it fills; the disk is as it was", async () => {
    const bench = await deviceOf("0 5 5 corrupt_bio_byte 32 r 7 0");
    const { bytes, status } = await bench.start(BioOp.Read, { sector: 3, sectors: 4 });
    expect(status).toBe(Ok);
    const wrong = [...bytes].flatMap((byte, index) => (byte === 1 ? [] : [[index, byte]]));
    expect(wrong).toEqual([[31, 7]]);
    expect(await bench.write(3, 4, 5)).toBe(Ok);
    expect(bench.a.firstBytes({ sector: 3, sectors: 4 })).toEqual([5, 5, 5, 5]);
  });

  it("a byte of each write is another one on disk; the memory of the sender is as it was", async () => {
    const bench = await deviceOf("0 5 5 corrupt_bio_byte 513 w 7 0");
    const { bytes, status } = await bench.start(
      BioOp.Write,
      { sector: 0, sectors: 3 },
      { byte: 5 },
    );
    expect(status).toBe(Ok);
    expect(new Set(bytes)).toEqual(new Set([5]));
    expect(bench.a.firstBytes({ sector: 0, sectors: 4 })).toEqual([5, 7, 5, 1]);
    const one = await bench.start(BioOp.Write, SECTOR_0, { byte: 6 });
    expect([one.status, bench.a.firstBytes(SECTOR_0)]).toEqual([Ok, [6]]);
  });

  it("only bios with all of the flags are changed", async () => {
    const mask = BioFlag.Sync | BioFlag.Meta;
    const bench = await deviceOf(`0 5 5 corrupt_bio_byte 1 w 7 ${String(mask)}`);
    for (const [flags, byte] of [
      [0, 5],
      [BioFlag.Meta, 5],
      [mask, 7],
      [mask | BioFlag.Fua, 7],
    ] as const) {
      await bench.start(BioOp.Write, SECTOR_0, { byte: 5, flags });
      expect(bench.a.firstBytes(SECTOR_0)).toEqual([byte]);
    }
  });

  it("by chance one byte of a bio becomes another: never, or now and then, or always", async () => {
    const changed = async (feature: string, op: BioOp): Promise<number> => {
      const bench = await deviceOf(`0 5 2 ${feature}`);
      let count = 0;
      for (let time = 0; time < 200; time += 1) {
        const { bytes } = await bench.start(op, { sector: 0, sectors: 4 }, { byte: 1 });
        if (op === BioOp.Write) bench.a.peek(0, bytes);
        const wrong = [...bytes].filter((byte) => byte !== 1).length;
        expect(wrong).toBeLessThan(2);
        count += wrong;
        bench.a.poke(0, new Uint8Array(4 * 512).fill(1));
      }
      return count;
    };
    for (const [op, name] of [
      [BioOp.Read, "random_read_corrupt"],
      [BioOp.Write, "random_write_corrupt"],
    ] as const) {
      expect(await changed(`${name} 0`, op)).toBe(0);
      expect(await changed(`${name} 1000000000`, op)).toBeGreaterThan(190);
      const half = await changed(`${name} 500000000`, op);
      expect(half).toBeGreaterThan(60);
      expect(half).toBeLessThan(140);
    }
  });

  it("whatever memory a bio consists of, exactly the one byte differs", async () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 6 });
    const chosen = fc.integer({ min: 1, max: 4096 });
    await fc.assert(
      fc.asyncProperty(lengths, chosen, fc.boolean(), async (pieces, byteNumber, isWrite) => {
        const direction = isWrite ? "w" : "r";
        const args = `0 5 5 corrupt_bio_byte ${String(byteNumber)} ${direction} 7 0`;
        const bench = await deviceOf(args);
        const sizeBytes = 4096;
        const { bio } = bench.bio(isWrite ? BioOp.Write : BioOp.Read, SECTOR_0);
        const memory = new Uint8Array(16_384).fill(isWrite ? 3 : 0);
        bio.vecs = createVecs(40);
        Object.assign(bio, { vecMax: 40, vecCount: 0, sizeBytes: 0 });
        for (let at = 0, index = 0; at < sizeBytes; index += 1) {
          const length = Math.min(pieces[index % pieces.length] ?? 1, sizeBytes - at);
          // Pieces apart from each other, so that they stay pieces; the last takes the rest.
          const rest = bio.vecCount === 39 ? sizeBytes - at : length;
          bio.addPage({ bytes: memory, frame: 0 }, rest, at + index * 8);
          at += rest;
        }
        bench.scheduler.spawn("sender", (task) => bench.submitter.submitBio(bio, task));
        await bench.scheduler.run();
        const arrived = new Uint8Array(sizeBytes);
        if (isWrite) bench.a.peek(0, arrived);
        else {
          let at = 0;
          for (const { offset, length } of bio.vecs.slice(0, bio.vecCount)) {
            arrived.set(memory.subarray(offset, offset + length), at);
            at += length;
          }
        }
        const expected = new Uint8Array(sizeBytes).fill(isWrite ? 3 : 1);
        expected[byteNumber - 1] = 7;
        expect(arrived).toEqual(expected);
        if (isWrite) expect(new Set(memory)).toEqual(new Set([3]));
      }),
      { numRuns: 60 },
    );
  });
});

it("its table has the features behind their number, and a blank; it has no state to tell", async () => {
  for (const [args, table] of [
    ["5 1", "5 1 0 "],
    ["5 1 1 drop_writes", "5 1 1 drop_writes "],
    ["5 5 6 drop_writes corrupt_bio_byte 1 r 1 0", "5 5 6 drop_writes corrupt_bio_byte 1 r 1 0 "],
    [
      "5 5 4 random_write_corrupt 7 random_read_corrupt 9",
      "5 5 4 random_read_corrupt 9 random_write_corrupt 7 ",
    ],
    ["5 5 2 error_reads error_writes", "5 5 2 error_writes error_reads "],
  ]) {
    const bench = await deviceOf(args ?? "");
    expect(bench.table()).toBe(`0 100 flakey 7:0 0 ${table ?? ""}`);
    expect(bench.dm.status("md")).toEqual(["0 100 flakey "]);
  }
});

describe("a line is refused", () => {
  it.each([
    ["a 0 5", "Invalid argument count"],
    ["a zz 5 5", "Invalid device sector"],
    ["a 0 -1 5", "Invalid up interval"],
    ["a 0 5 4294967296", "Invalid down interval"],
    ["a 0 0 0", "Total (up + down) interval is zero"],
    ["a 0 4294967295 1", "Total (up + down) interval is zero"],
    ["a 0 4294967295 2", "Interval overflow"],
    ["none 0 5 5", "Device lookup failed"],
    ["a 0 5 5 1", "Invalid number of feature args"],
    ["a 0 5 5 x drop_writes", "Invalid number of feature args"],
    ["a 0 5 5 1 drop_writes error_writes", "Invalid number of feature args"],
    ["a 0 5 5 1 bogus", 'Unrecognised flakey feature requested ("bogus")'],
    ["a 0 5 5 2 drop_writes drop_writes", "Feature drop_writes duplicated"],
    [
      "a 0 5 5 2 drop_writes error_writes",
      "Feature error_writes conflicts with feature drop_writes",
    ],
    [
      "a 0 5 5 2 error_writes drop_writes",
      "Feature drop_writes conflicts with feature error_writes",
    ],
    ["a 0 5 5 1 corrupt_bio_byte", "Feature corrupt_bio_byte requires parameters"],
    ["a 0 5 5 5 corrupt_bio_byte 0 r 0 0", "Invalid corrupt bio byte"],
    ["a 0 5 5 5 corrupt_bio_byte 1 x 1 0", "Invalid corrupt bio direction (r or w)"],
    [
      "a 0 5 5 5 corrupt_bio_byte 1 r 256 0",
      "Invalid corrupt value to write into bio byte (0-255)",
    ],
    ["a 0 5 5 4 corrupt_bio_byte 1 r 1", "Invalid corrupt bio flags mask"],
    ["a 0 5 5 2 random_read_corrupt 1000000001", "Invalid random corrupt argument"],
    [
      "a 0 5 5 6 drop_writes corrupt_bio_byte 1 w 1 0",
      "drop_writes is incompatible with corrupt_bio_byte with the WRITE flag set",
    ],
    [
      "a 0 5 5 3 error_writes random_write_corrupt 1",
      "error_writes is incompatible with random_write_corrupt",
    ],
    [
      "a 0 5 5 6 error_reads corrupt_bio_byte 1 r 1 0",
      "error_reads is incompatible with corrupt_bio_byte with the READ flag set",
    ],
    [
      "a 0 5 5 3 error_reads random_read_corrupt 1",
      "error_reads is incompatible with random_read_corrupt",
    ],
    ["a 901 5 5", "a too small for target"],
  ])("flakey %s", async (args, message) => {
    expect(await new TargetBench({ types: [flakey] }).refusal(`0 100 flakey ${args}`)).toContain(
      message,
    );
  });
});
