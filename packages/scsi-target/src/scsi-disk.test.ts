import { BioFlag, BioOp, BioStatus } from "@blkstack/bio";
import { BlockError } from "@blkstack/block";
import { failSectors } from "@blkstack/disk-ram";
import { allFail } from "@blkstack/memory";
import { describe, expect, it } from "vitest";
import {
  cdb10,
  cdb16,
  cdb6,
  FUA,
  NDOB,
  readCapacity16,
  UNMAP,
  unmap,
  unmapList,
} from "../test/cdbs.ts";
import {
  bytesOf,
  complaint,
  entry,
  listOf,
  NOTHING_MISSING,
  page,
  SECTORS,
  Setting,
} from "../test/setting.ts";
import { Opcode, ScsiStatus } from "./index.ts";

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

describe("what a disk says of itself", () => {
  it("it is ready", async () => {
    const answer = await new Setting().execute({ cdb: cdb6(Opcode.TestUnitReady) });
    expect(answer).toEqual({ status: ScsiStatus.Good, sense: null, movedBytes: 0 });
  });

  it("it is a disk of blkstack with the name of the device, as much of it as was asked for", async () => {
    const setting = new Setting();
    const all = await setting.ask(cdb6(Opcode.Inquiry, { 4: 96 }));
    expect([all.length, all[0], all[4]]).toEqual([36, 0, 31]);
    expect(text(all.subarray(8))).toBe("blkstacksda             1.0 ");
    expect((await setting.ask(cdb6(Opcode.Inquiry, { 4: 5 }))).length).toBe(5);
    expect((await setting.ask(cdb6(Opcode.Inquiry, { 4: 96 }), 10)).length).toBe(10);
  });

  it("it has pages of vital data, and the first of them names all", async () => {
    const setting = new Setting();
    const inquire = (code: number): Promise<Uint8Array> =>
      setting.ask(cdb6(Opcode.Inquiry, { 1: 1, 2: code, 4: 255 }));
    const [, , , , ...codes] = await inquire(0);
    expect(codes).toEqual([0x00, 0x80, 0x83, 0xb0, 0xb2]);
    for (const code of codes) {
      const bytes = await inquire(code);
      expect([bytes[1], bytes[3]]).toEqual([code, bytes.length - 4]);
    }
    expect(text((await inquire(0x80)).subarray(4)).trim()).toBe("sda");
    expect((await inquire(0xb2))[5]).toBe(0xc0);
    const limits = new DataView((await inquire(0xb0)).slice().buffer);
    expect([limits.getUint32(24), limits.getUint32(40)]).toEqual([256, 65_536]);
  });

  it("it has no other page", async () => {
    const answer = await new Setting().execute({ cdb: cdb6(Opcode.Inquiry, { 1: 1, 2: 0xc0 }) });
    expect(complaint(answer)).toBe("5 24/00");
    // The field is the third byte of the CDB.
    expect([...(answer.sense ?? [])].slice(15)).toEqual([0xc0, 0, 2]);
  });

  it("its last block, and how long they are, in both ways of asking", async () => {
    const limits = { logicalBlockBytes: 1024, physicalBlockBytes: 4096 };
    const setting = new Setting({ limits });
    const short = await setting.ask(cdb10(Opcode.ReadCapacity10));
    expect([...short]).toEqual([0, 0, 0, SECTORS / 2 - 1, 0, 0, 4, 0]);
    const long = await setting.ask(readCapacity16(32));
    expect([...long.subarray(4, 15)]).toEqual([0, 0, 0, SECTORS / 2 - 1, 0, 0, 4, 0, 0, 2, 0x80]);
    expect((await setting.ask(readCapacity16(12))).length).toBe(12);
  });

  it("more blocks than the short way can say", async () => {
    const setting = new Setting({ sizeSectors: 2 ** 33 });
    const short = await setting.ask(cdb10(Opcode.ReadCapacity10));
    expect([...short.subarray(0, 4)]).toEqual([255, 255, 255, 255]);
    const long = await setting.ask(readCapacity16(32));
    expect([...long.subarray(0, 8)]).toEqual([0, 0, 0, 1, 255, 255, 255, 255]);
  });

  it.each([
    [true, false, 0x04, 0x10],
    [false, true, 0x00, 0x90],
  ])(
    "whether it has a cache (%s) and is read-only (%s)",
    async (hasCache, isReadOnly, wce, mode) => {
      const setting = new Setting({ hasVolatileCache: hasCache, isReadOnly });
      const short = await setting.ask(cdb6(Opcode.ModeSense6, { 2: 0x08, 4: 255 }));
      expect([...short.subarray(0, 7)]).toEqual([23, 0, mode, 0, 0x08, 18, wce]);
      const long = await setting.ask(cdb10(Opcode.ModeSense10, { lba: 0x3f00_0000, blocks: 255 }));
      expect([...long.subarray(0, 11)]).toEqual([0, 26, 0, mode, 0, 0, 0, 0, 0x08, 18, wce]);
    },
  );

  it("no cache bit can be changed, nothing is saved, and there is no other mode page", async () => {
    const setting = new Setting({ hasVolatileCache: true });
    const sense = (code: number): Uint8Array => cdb6(Opcode.ModeSense6, { 2: code, 4: 255 });
    expect((await setting.ask(sense(0x48)))[6]).toBe(0);
    expect(complaint(await setting.execute({ cdb: sense(0xc8) }))).toBe("5 39/00");
    expect(complaint(await setting.execute({ cdb: sense(0x1c) }))).toBe("5 24/00");
  });

  it("nothing is wrong, when it is asked afterwards", async () => {
    const setting = new Setting();
    const sense = await setting.ask(cdb6(Opcode.RequestSense, { 4: 252 }));
    expect([sense.length, sense[0], sense[2]]).toEqual([18, 0x70, 0]);
    const other = await setting.execute({ cdb: cdb6(Opcode.RequestSense, { 1: 1, 4: 252 }) });
    expect(complaint(other)).toBe("5 24/00");
  });
});

describe("reading and writing", () => {
  it.each([
    ["10 bytes", cdb10, Opcode.Write10, Opcode.Read10],
    ["16 bytes", cdb16, Opcode.Write16, Opcode.Read16],
  ])("what was written is read back (commands of %s)", async (_name, cdb, write, read) => {
    const setting = new Setting();
    const wish = { lba: 9, blocks: 3 };
    const dataOut = [entry(page(1), 0, 512), entry(page(2), 1024, 1024)];
    const written = await setting.execute({ cdb: cdb(write, wish), dataOut });
    expect(written).toMatchObject({ status: ScsiStatus.Good, movedBytes: 1536 });
    const dataIn = [entry(page(), 512, 1024), entry(page(), 0, 512)];
    expect(await setting.execute({ cdb: cdb(read, wish), dataIn })).toEqual(written);
    expect(bytesOf(dataIn)).toEqual(bytesOf(dataOut));
    expect(setting.peek(8, 1)).toEqual(new Uint8Array(512));
  });

  it("touches no more of the memory than the blocks fill", async () => {
    const setting = new Setting();
    const dataIn = [entry(page(7), 0, 1024)];
    const answer = await setting.execute({ cdb: cdb10(Opcode.Read10, { blocks: 1 }), dataIn });
    expect(answer.movedBytes).toBe(512);
    expect([bytesOf(dataIn)[511], bytesOf(dataIn)[512]]).toEqual([0, 7]);
  });

  it("moves nothing when nothing is asked for, even at the end", async () => {
    const setting = new Setting();
    const cdb = cdb10(Opcode.Read10, { lba: SECTORS });
    expect(await setting.execute({ cdb })).toMatchObject({ status: 0, movedBytes: 0 });
    expect(setting.sent).toEqual([]);
  });

  it.each([
    ["begins behind the end", { lba: SECTORS + 1 }],
    ["ends behind it", { lba: SECTORS - 1, blocks: 2 }],
    ["begins where numbers are no more exact", { lba: 2 ** 63, blocks: 1 }],
  ])("is refused where it %s", async (_name, wish) => {
    const setting = new Setting();
    const dataIn = [entry(page(7))];
    const answer = await setting.execute({ cdb: cdb16(Opcode.Read16, wish), dataIn });
    expect(complaint(answer)).toBe("5 21/00");
    expect(bytesOf(dataIn)[0]).toBe(7);
  });

  it("is refused when the memory is less than the blocks, and moves nothing", async () => {
    const setting = new Setting();
    const dataOut = [entry(page(7), 0, 1023)];
    const answer = await setting.execute({ cdb: cdb10(Opcode.Write10, { blocks: 2 }), dataOut });
    expect(complaint(answer)).toBe("5 24/00");
    expect(setting.sent).toEqual([]);
  });

  it("with FUA, each bio of a write asks for it, and a cache is flushed before a read", async () => {
    const setting = new Setting({ hasVolatileCache: true, limits: { maxHwSectors: 8 } });
    const memory = [entry(page()), entry(page())];
    const wish = { blocks: 16, flags: FUA };
    await setting.execute({ cdb: cdb10(Opcode.Write10, wish), dataOut: memory });
    expect(setting.sent.map(({ flags }) => flags)).toEqual([BioFlag.Fua, BioFlag.Fua]);
    setting.sent.length = 0;
    await setting.execute({ cdb: cdb10(Opcode.Read10, { ...wish, blocks: 8 }), dataIn: memory });
    expect(setting.sent.map(({ op, flags }) => [op, flags])).toEqual([
      [BioOp.Write, BioFlag.Preflush],
      [BioOp.Read, 0],
    ]);
  });

  it.each([
    ["a medium error", BioStatus.Medium, "3 11/00", "3 0c/00"],
    ["any I/O error", BioStatus.IoError, "3 11/00", "3 0c/00"],
    ["a lost link", BioStatus.Transport, "4 44/00", "4 44/00"],
    ["a full disk", BioStatus.NoSpace, "7 27/07", "7 27/07"],
    ["data that fail their checksum", BioStatus.Protection, "11 10/01", "11 10/01"],
    ["a device that is out of memory", BioStatus.Resource, "none", "none"],
  ])("says so: %s", async (_name, status, reading, writing) => {
    const faults = failSectors({ startSector: 5, sizeSectors: 1, status });
    const setting = new Setting({ faults });
    const memory = [entry(page())];
    const read = { cdb: cdb10(Opcode.Read10, { blocks: 8 }), dataIn: memory };
    const write = { cdb: cdb10(Opcode.Write10, { blocks: 8 }), dataOut: memory };
    const answers = [await setting.execute(read), await setting.execute(write)];
    expect(answers.map(complaint)).toEqual([reading, writing]);
    const expected = status === BioStatus.Resource ? ScsiStatus.Busy : ScsiStatus.CheckCondition;
    expect(answers.map((answer) => answer.status)).toEqual([expected, expected]);
  });

  it("is busy when there is no memory at all", async () => {
    const setting = new Setting();
    setting.memory.faultPlan = allFail;
    const read = { cdb: cdb10(Opcode.Read10, { blocks: 8 }), dataIn: [entry(page())] };
    for (const command of [read, { cdb: cdb10(Opcode.SynchronizeCache10) }]) {
      expect(await setting.execute(command)).toMatchObject({
        status: ScsiStatus.Busy,
        sense: null,
      });
    }
    const zero = { cdb: cdb16(Opcode.WriteSame16, { blocks: 8, flags: NDOB }) };
    expect((await setting.execute(zero)).status).toBe(ScsiStatus.Busy);
  });
});

describe("a cache", () => {
  it.each([
    ["10", cdb10(Opcode.SynchronizeCache10)],
    ["16", cdb16(Opcode.SynchronizeCache16, { lba: 8, blocks: 8 })],
  ])("is flushed (%s bytes)", async (_name, cdb) => {
    const setting = new Setting({ hasVolatileCache: true });
    expect((await setting.execute({ cdb })).status).toBe(ScsiStatus.Good);
    expect(setting.sent.map(({ flags }) => flags)).toEqual([BioFlag.Preflush]);
  });

  it("is not, for blocks that there are none of", async () => {
    const setting = new Setting({ hasVolatileCache: true });
    const cdb = cdb10(Opcode.SynchronizeCache10, { lba: SECTORS + 1 });
    expect(complaint(await setting.execute({ cdb }))).toBe("5 21/00");
  });
});

describe("unmapping", () => {
  it("discards each range, and no other block", async () => {
    const setting = new Setting();
    setting.ram.poke(0, new Uint8Array(8 * 512).fill(9));
    const parameters = unmapList([1, 2], [5, 1]);
    const dataOut = listOf(parameters);
    const answer = await setting.execute({ cdb: unmap(parameters.length), dataOut });
    expect(answer).toMatchObject({ status: ScsiStatus.Good, movedBytes: parameters.length });
    const firsts = [0, 1, 2, 3, 4, 5, 6, 7].map((sector) => setting.peek(sector, 1)[0]);
    expect(firsts).toEqual([9, 0, 0, 9, 9, 0, 9, 9]);
  });

  it("goes in pieces that the device takes", async () => {
    const setting = new Setting({ limits: { maxDiscardSectors: 8 } });
    const parameters = unmapList([0, 20]);
    await setting.execute({ cdb: unmap(parameters.length), dataOut: listOf(parameters) });
    expect(setting.sent.map(({ sector }) => sector)).toEqual([0, 8, 16]);
  });

  it("of nothing is well", async () => {
    const setting = new Setting();
    expect((await setting.execute({ cdb: unmap(0) })).status).toBe(ScsiStatus.Good);
  });

  const manyRanges = Array.from({ length: 257 }, () => [0, 1] as const);
  const lying = unmapList([0, 1]);
  lying[3] = 32;
  const dishonest = unmapList([0, 1]);
  dishonest[1] = 4;
  it.each([
    ["one range of several leaves the medium", unmapList([0, 1], [SECTORS, 1]), "5 21/00"],
    ["the list is shorter than its header", new Uint8Array(4), "5 1a/00"],
    ["it names more ranges than there are", lying, "5 26/00"],
    ["its length contradicts its ranges", dishonest, "5 26/00"],
    ["it has more ranges than we take", unmapList(...manyRanges), "5 26/00"],
  ])("discards nothing when %s", async (_name, parameters, expected) => {
    const setting = new Setting();
    setting.ram.poke(0, new Uint8Array(512).fill(9));
    const dataOut = listOf(parameters);
    const answer = await setting.execute({ cdb: unmap(parameters.length), dataOut });
    expect(complaint(answer)).toBe(expected);
    expect(setting.peek(0, 1)[0]).toBe(9);
  });

  it("discards nothing when the memory ends before the parameters do", async () => {
    const dataOut = listOf(unmapList([0, 1]).subarray(0, 23));
    expect(complaint(await new Setting().execute({ cdb: unmap(24), dataOut }))).toBe("5 1a/00");
  });

  it("is refused by a device that cannot", async () => {
    const setting = new Setting({ limits: { maxDiscardSectors: 0 } });
    const parameters = unmapList([0, 1]);
    const answer = await setting.execute({
      cdb: unmap(parameters.length),
      dataOut: listOf(parameters),
    });
    expect(complaint(answer)).toBe("5 20/00");
  });
});

describe("writing the same block over and over", () => {
  const block = Uint8Array.from({ length: 512 }, (_, at) => at % 251);

  it("writes it to each, from the caller's memory", async () => {
    const setting = new Setting();
    const cdb = cdb16(Opcode.WriteSame16, { lba: 4, blocks: 3 });
    const answer = await setting.execute({ cdb, dataOut: listOf(block) });
    expect(answer).toMatchObject({ status: ScsiStatus.Good, movedBytes: 512 });
    expect(setting.peek(4, 3)).toEqual(new Uint8Array([...block, ...block, ...block]));
    expect(setting.peek(7, 1)).toEqual(new Uint8Array(512));
    expect(setting.sent.map(({ sizeBytes, pages }) => [sizeBytes, pages.length])).toEqual([
      [1536, 3],
    ]);
  });

  it.each([
    ["a block of zeroes, which may be unmapped", UNMAP, 0],
    ["a block of zeroes, which may not", 0, BioFlag.NoUnmap],
    ["no block at all", NDOB | UNMAP, 0],
  ])("has the device zero them: %s", async (_name, flags, wanted) => {
    const setting = new Setting();
    setting.ram.poke(0, new Uint8Array(4096).fill(9));
    const cdb = cdb16(Opcode.WriteSame16, { lba: 1, blocks: 3, flags });
    const answer = await setting.execute({ cdb, dataOut: listOf(new Uint8Array(512)) });
    expect(answer.status).toBe(ScsiStatus.Good);
    expect(setting.sent.map((bio) => [bio.op, bio.flags])).toEqual([[BioOp.WriteZeroes, wanted]]);
    expect([0, 1, 2, 3, 4].map((sector) => setting.peek(sector, 1)[0])).toEqual([9, 0, 0, 0, 9]);
  });

  it.each([
    ["from the caller's memory", 0],
    ["from a page of its own", NDOB],
  ])("writes zeroes %s where the device cannot zero", async (_name, flags) => {
    const setting = new Setting({ sizeSectors: 4096, limits: { maxWriteZeroesSectors: 0 } });
    setting.ram.poke(0, new Uint8Array(3003 * 512).fill(9));
    const cdb = cdb16(Opcode.WriteSame16, { lba: 1, blocks: 3001, flags });
    const answer = await setting.execute({ cdb, dataOut: listOf(new Uint8Array(512)) });
    expect(answer.status).toBe(ScsiStatus.Good);
    expect(setting.peek(1, 3001).every((byte) => byte === 0)).toBe(true);
    expect([setting.peek(0, 1)[0], setting.peek(3002, 1)[0]]).toEqual([9, 9]);
    expect(setting.missing).toEqual(NOTHING_MISSING);
  });

  it.each([
    ["no block", { blocks: 0 }, "5 24/00"],
    ["more blocks than one command may keep the device busy with", { blocks: 65_537 }, "5 24/00"],
    ["blocks behind the end", { lba: SECTORS, blocks: 1 }, "5 21/00"],
    ["anchored blocks", { blocks: 1, flags: 0x10 }, "5 24/00"],
  ])("is refused for %s", async (_name, wish, expected) => {
    const setting = new Setting();
    const cdb = cdb16(Opcode.WriteSame16, wish);
    expect(complaint(await setting.execute({ cdb, dataOut: listOf(block) }))).toBe(expected);
  });

  it("is refused with less than a block", async () => {
    const cdb = cdb16(Opcode.WriteSame16, { blocks: 1 });
    const answer = await new Setting().execute({ cdb, dataOut: listOf(block.subarray(1)) });
    expect(complaint(answer)).toBe("5 1a/00");
  });
});

describe("what cannot be done", () => {
  it("a disk that is read-only is read, and protects its data from all else", async () => {
    const setting = new Setting({ isReadOnly: true });
    const memory = [entry(page())];
    const changes = [
      cdb10(Opcode.Write10, { blocks: 1 }),
      cdb16(Opcode.Write16, { blocks: 1 }),
      cdb16(Opcode.WriteSame16, { blocks: 1 }),
      unmap(24),
    ];
    for (const cdb of changes) {
      expect(complaint(await setting.execute({ cdb, dataOut: memory }))).toBe("7 27/00");
    }
    const read = { cdb: cdb10(Opcode.Read10, { blocks: 1 }), dataIn: memory };
    expect((await setting.execute(read)).status).toBe(ScsiStatus.Good);
  });

  it.each([
    ["nothing", new Uint8Array(), "5 20/00"],
    ["an opcode that nobody knows", cdb6(0x1b), "5 20/00"],
    ["an opcode of no known length", new Uint8Array(16).fill(0x7f), "5 20/00"],
    ["a CDB that breaks off", cdb10(Opcode.Read10).subarray(0, 9), "5 24/00"],
    ["protection information", cdb10(Opcode.Read10, { flags: 0x20 }), "5 24/00"],
    ["that others are held back after an error", cdb6(Opcode.TestUnitReady, { 5: 4 }), "5 24/00"],
    ["another service action", cdb16(Opcode.ServiceActionIn16, { flags: 0x12 }), "5 24/00"],
  ])("%s is no command", async (_name, cdb, expected) => {
    expect(complaint(await new Setting().execute({ cdb }))).toBe(expected);
  });

  it.each([
    ["goes on behind its page", 4000, 97],
    ["begins before it", -512, 512],
    ["is of no known length", 0, NaN],
  ])("memory that %s aborts the command", async (_name, offset, length) => {
    const dataIn = [entry(page(), offset, length)];
    const cdb = cdb10(Opcode.Read10, { blocks: 1 });
    expect(complaint(await new Setting().execute({ cdb, dataIn }))).toBe("11 4b/00");
  });

  it("a device that the memory could not be given to is refused at once", () => {
    const huge = { logicalBlockBytes: 8192, physicalBlockBytes: 8192 };
    for (const limits of [huge, { bounceFrame: 999 }]) {
      expect(() => new Setting({ limits })).toThrow(BlockError);
    }
  });
});
