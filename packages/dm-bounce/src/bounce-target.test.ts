import { Bio, BioFlag, BioOp, BioStatus } from "@blkstack/bio";
import { PageArena } from "@blkstack/bounce";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { anywhere, bioOver, Setting } from "../test/setting.ts";

let setting: Setting;

beforeEach(() => {
  setting = new Setting();
});

describe("over a file past the page cache", () => {
  afterEach(() => setting.close());

  it("memory that lies anywhere, in odd pieces, is written and read back", async () => {
    await setting.create("0 512 bounce 7:0 0");
    const odd = [
      [anywhere(5000, 1), 3, 100],
      [anywhere(5000, 2), 700, 4000],
      [anywhere(5000, 3), 1, 2044],
    ] as const;
    expect(await setting.send(bioOver(BioOp.Write, 8, ...odd))).toEqual([BioStatus.Ok]);
    const back = anywhere(6300, 0xee);
    const read = bioOver(BioOp.Read, 8, [back, 7, 6144]);
    expect(await setting.send(read)).toEqual([BioStatus.Ok]);
    const { bytes } = back;
    expect([6, 7, 106, 107, 4106, 4107, 6150, 6151].map((at) => bytes[at])).toEqual([
      0xee, 1, 1, 2, 2, 3, 3, 0xee,
    ]);
    expect(setting.dm.status("md")[0]).toContain("2 0/64");
  });

  it("a flush, and a bio without memory, go down as they are", async () => {
    await setting.create("0 512 bounce 7:0 0");
    const flush = new Bio();
    flush.op = BioOp.Write;
    flush.flags = BioFlag.Preflush;
    expect(await setting.send(flush)).toEqual([BioStatus.Ok]);
    expect(setting.dm.status("md")[0]).toContain("0 0/64");
  });

  it("with one page, senders take turns, and a bio of more pages is cut", async () => {
    await setting.create("0 512 bounce 7:0 0 2 pool 1");
    const memory = [1, 2, 3].map((fill) => anywhere(12_288 + 3, fill));
    const writes = memory.map((page, index) => bioOver(BioOp.Write, index * 24, [page, 3, 12_288]));
    expect(await setting.send(...writes)).toEqual([BioStatus.Ok, BioStatus.Ok, BioStatus.Ok]);
    expect(setting.disk.pieces).toEqual(Array.from({ length: 9 }, () => 1));
    const back = anywhere(3 * 12_288);
    await setting.send(bioOver(BioOp.Read, 0, [back, 0, back.bytes.length]));
    expect([0, 12_287, 12_288, 24_576].map((at) => back.bytes[at])).toEqual([1, 1, 2, 3]);
  });

  it("where any memory will do, nothing is bounced", async () => {
    await setting.create("0 512 bounce 7:0 0 2 align 1");
    const arena = new PageArena({ label: "aligned", limitPages: 1 });
    const page = arena.tryAlloc();
    if (page === null) throw new Error("no page");
    page.bytes.fill(9);
    expect(await setting.send(bioOver(BioOp.Write, 0, [page, 512, 1024]))).toEqual([BioStatus.Ok]);
    expect(setting.dm.status("md")[0]).toContain("0 0/64");
  });

  it("takes any memory, and no more at a time than there are pages for", async () => {
    await setting.create("0 512 bounce 7:0 0 2 pool 4");
    const { limits } = setting.dm.get("md").queue;
    expect(limits).toMatchObject({ dmaAlignmentMask: 0, maxSectors: 32, bounceFrame: Infinity });
  });

  it.each(["0 512 bounce 7:0 0", "0 256 bounce 7:0 128 4 align 4096 pool 8"])(
    "%s is its own table",
    async (table) => {
      await setting.create(table);
      expect(setting.dm.table("md")).toEqual([table]);
    },
  );
});

describe("a line that is refused", () => {
  it.each([
    ["0 512 bounce 7:0", "Invalid argument count"],
    ["0 512 bounce 7:0 x", "Invalid device sector"],
    ["0 512 bounce nowhere 0", "Device lookup failed"],
    ["0 512 bounce 7:0 0 1 align 512", "Invalid number of feature args"],
    ["0 512 bounce 7:0 0 2 align 3", "Invalid alignment"],
    ["0 512 bounce 7:0 0 2 align 8192", "Invalid alignment"],
    ["0 512 bounce 7:0 0 2 pool 0", "Invalid pool size"],
    ["0 512 bounce 7:0 0 2 pool 257", "Invalid pool size"],
    ["0 512 bounce 7:0 0 2 size 1", 'Unrecognised feature "size"'],
    ["0 512 bounce 7:0 0 4 pool 1 pool 2", "Feature pool duplicated"],
  ])("%s: %s", async (table, complaint) => {
    expect(await setting.refusal(table)).toContain(complaint);
  });
});
