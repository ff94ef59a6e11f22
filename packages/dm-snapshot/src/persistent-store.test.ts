import { BioStatus } from "@blkstack/bio";
import { describe, expect, it } from "vitest";
import { MemoryCow } from "../test/memory-cow.ts";
import { commitAll, fresh, hex, inTask, load, range, told } from "../test/store-bench.ts";
import { LoadResult, PersistentStore } from "./index.ts";

const header = (bytes: string): Map<number, Uint8Array> => {
  const sector = new Uint8Array(512);
  sector.set(Uint8Array.from(bytes.split(" "), (byte) => parseInt(byte, 16)));
  return new Map([[0, sector]]);
};

describe("a new store", () => {
  it("has a header and a clear first area, in the bytes that Linux writes", async () => {
    const { store, cow } = await fresh(1024);
    expect(hex(cow.bytes(0, 1).subarray(0, 16))).toBe(
      "53 6e 41 70 01 00 00 00 01 00 00 00 08 00 00 00",
    );
    expect(cow.bytes(8, 8).every((byte) => byte === 0)).toBe(true);
    expect(store.statusText()).toBe("16/1024 16");
  });

  it("has its header behind a flush, when the first area is already clear", async () => {
    expect((await fresh(1024)).cow.story).toEqual(["8+8", "0+8 FLUSH FUA"]);
  });

  it("has chunks of 32 sectors when nobody says how many, or of one block where that is more", async () => {
    expect((await fresh(1024, 0)).store.statusText()).toBe("64/1024 64");
    const largeBlocks = new MemoryCow(1024, new Map(), [65_536]);
    expect((await load(largeBlocks, 0)).store.chunkSectors).toBe(128);
  });

  it("clears its header chunk and first area of what was there, and touches nothing else", async () => {
    const garbage = new Map(range(1, 63).map((sector) => [sector, new Uint8Array(512).fill(0xdd)]));
    const { cow } = await load(new MemoryCow(64, garbage));
    expect(hex(cow.bytes(1, 1).subarray(0, 4))).toBe("00 00 00 00");
    expect(cow.bytes(8, 8).some((byte) => byte !== 0)).toBe(false);
    expect(cow.bytes(16, 48).every((byte) => byte === 0xdd)).toBe(true);
  });

  it("does not fit where a chunk is larger than the device", async () => {
    await expect(fresh(1024, 2048)).rejects.toMatchObject({ errno: "EIO" });
  });
});

describe("exceptions on the disk", () => {
  it("one lies at the start of the first area, and costs one chunk", async () => {
    const { store, cow } = await fresh(1024);
    expect(await commitAll(store, [3])).toEqual([true]);
    expect(hex(cow.bytes(8, 1).subarray(0, 24))).toBe(
      "03 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00",
    );
    expect(store.statusText()).toBe("24/1024 16");
    expect(cow.story.slice(2)).toEqual(["8+8 FLUSH FUA"]);
  });

  it("a full area makes the next one count, and it is cleared before the full one is written", async () => {
    const { store, cow } = await fresh(8192);
    await commitAll(store, range(0, 255));
    expect(store.statusText()).toBe("2056/8192 16");
    const before = cow.log.length;
    await commitAll(store, [255]);
    expect(store.statusText()).toBe("2072/8192 24");
    expect(cow.story.slice(before)).toEqual(["2064+8", "8+8 FLUSH FUA"]);
    expect(store.prepare()).toBe(259);
  });

  it("49,542 of them take 397,896 sectors, 1,560 of them for metadata", async () => {
    const { store, cow } = await fresh(400_000);
    for (let done = 0; done < 49_542; done += 200)
      await commitAll(store, range(done, Math.min(200, 49_542 - done)), { together: true });
    expect(store.statusText()).toBe("397896/400000 1560");
    const again = await load(cow.again());
    expect(again.store.statusText()).toBe("397896/400000 1560");
    expect(again.exceptions.length).toBe(49_542);
    expect(again.exceptions.at(-1)?.[0]).toBe(49_541);
  });

  it("after a reload the next chunk is never one of metadata", async () => {
    const { store, cow } = await fresh(8192);
    await commitAll(store, range(0, 256));
    expect((await load(cow.again())).store.prepare()).toBe(259);
  });

  it("numbers beyond 32 bits come back as they went", async () => {
    const { store, cow } = await fresh(1024);
    await commitAll(store, [2 ** 40 + 5]);
    expect((await load(cow.again())).exceptions).toEqual([[2 ** 40 + 5, 2]]);
  });

  it("they are told in their order, also those that name an old chunk again", async () => {
    const { store, cow } = await fresh(1024);
    await commitAll(store, [7, 3, 7]);
    expect((await load(cow.again())).exceptions).toEqual([
      [7, 2],
      [3, 3],
      [7, 4],
    ]);
  });
});

describe("a full device", () => {
  it("without room for the next area loses the snapshot with the last entry of the area", async () => {
    const { store } = await fresh(258 * 8);
    expect(store.remaining()).toBe(255);
    expect((await commitAll(store, range(0, 255))).every(Boolean)).toBe(true);
    expect(store.remaining()).toBe(0);
    expect(await commitAll(store, [255])).toEqual([false]);
    expect(store.isValid).toBe(false);
  });

  it("with room for the next area takes that entry, and has no chunk for another", async () => {
    const { store } = await fresh(259 * 8);
    expect((await commitAll(store, range(0, 256))).every(Boolean)).toBe(true);
    expect(store.prepare()).toBe(-1);
    expect(store.isValid).toBe(true);
  });

  it.each([
    [33, 31, "33/33 2"],
    [34, 31, "33/34 2"],
    [35, 32, "35/35 3"],
    [66, 63, "66/66 3"],
    [68, 64, "68/68 4"],
  ])("of %d sectors takes %d one-sector chunks", async (sectors, capacity, status) => {
    const { store } = await fresh(sectors, 1);
    expect(store.remaining()).toBe(capacity);
    expect((await commitAll(store, range(0, capacity))).every(Boolean)).toBe(true);
    expect(store.statusText()).toBe(status);
    const newChunk = store.prepare();
    if (newChunk >= 0) {
      const answers: boolean[] = [];
      const onCommitted = (isDurable: boolean): void => void answers.push(isDurable);
      const exception = { oldChunk: 999, newChunk, isCopied: true };
      await inTask((task) => store.commit(exception, { onCommitted }, task));
      expect(answers).toEqual([false]);
    }
  });

  it("does not use the part of a chunk at its end", async () => {
    const { store } = await fresh(132);
    expect((await commitAll(store, range(0, 14))).length).toBe(14);
    expect(store.prepare()).toBe(-1);
    expect(store.statusText()).toBe("128/132 16");
  });

  it("of two chunks loads, and nothing fits", async () => {
    const { store } = await fresh(16);
    expect(store.statusText()).toBe("16/16 16");
    expect(store.prepare()).toBe(-1);
    expect(store.remaining()).toBe(0);
  });

  it("goes on when it grew, and may shrink to what is used", async () => {
    const { store, cow } = await fresh(24);
    await commitAll(store, [1]);
    expect(store.prepare()).toBe(-1);
    cow.sizeSectors = 64;
    expect(await commitAll(store, [2])).toEqual([true]);
    expect(store.canShrinkTo(32)).toBe(true);
    expect(store.canShrinkTo(31)).toBe(false);
  });
});

describe("a commit", () => {
  it("waits for those being copied, and all are written at once, in the order of their chunks", async () => {
    const { store, cow } = await fresh(1024);
    const before = cow.log.length;
    expect(await commitAll(store, [30, 10, 20], { together: true })).toEqual([true, true, true]);
    expect(cow.story.slice(before)).toEqual(["8+8 FLUSH FUA"]);
    expect((await load(cow.again())).exceptions).toEqual([
      [30, 2],
      [10, 3],
      [20, 4],
    ]);
  });

  it("is told of in order, each when the one before is done", async () => {
    const { store } = await fresh(1024);
    const told: string[] = [];
    const listener = (name: string) => ({
      async onCommitted(): Promise<void> {
        told.push(`${name} begins`);
        await Promise.resolve();
        told.push(`${name} ends`);
      },
    });
    const [first, second] = [store.prepare(), store.prepare()];
    await inTask(async (task) => {
      await store.commit({ oldChunk: 1, newChunk: first, isCopied: true }, listener("a"), task);
      await store.commit({ oldChunk: 2, newChunk: second, isCopied: true }, listener("b"), task);
    });
    expect(told).toEqual(["a begins", "a ends", "b begins", "b ends"]);
  });

  it("of a failed copy takes the others of its batch with it: none of them is on the disk", async () => {
    const { store, cow } = await fresh(1024);
    const [good, bad] = [store.prepare(), store.prepare()];
    const answers: boolean[] = [];
    const onCommitted = (isDurable: boolean): void => void answers.push(isDurable);
    const before = cow.log.length;
    await inTask(async (task) => {
      await store.commit({ oldChunk: 1, newChunk: good, isCopied: true }, { onCommitted }, task);
      await store.commit({ oldChunk: 2, newChunk: bad, isCopied: false }, { onCommitted }, task);
    });
    expect(answers).toEqual([false, false]);
    expect(cow.log.length).toBe(before);
  });

  it("after a failed write fails, and writes no entries any more", async () => {
    const { store, cow } = await fresh(1024);
    cow.failing = (kind, sector) => kind === "write" && sector === 8;
    expect(await commitAll(store, [1])).toEqual([false]);
    cow.failing = () => false;
    const before = cow.log.length;
    expect(await commitAll(store, [2])).toEqual([false]);
    expect(cow.log.length).toBe(before);
    expect(await inTask((task) => store.commitMerge(1, task))).toBe(BioStatus.IoError);
  });

  it("of a chunk that nobody was given is a defect", async () => {
    const { store } = await fresh(1024);
    const listener = { onCommitted: () => undefined };
    await expect(
      inTask((task) => store.commit({ oldChunk: 1, newChunk: 2, isCopied: true }, listener, task)),
    ).rejects.toThrow("not prepared");
  });
});

describe("marking as invalid", () => {
  it("writes the header alone, durably, and is found by the next load", async () => {
    const { store, cow } = await fresh(1024);
    await commitAll(store, [5]);
    const before = cow.log.length;
    expect(await inTask((task) => store.drop(task))).toBe(BioStatus.Ok);
    expect(cow.story.slice(before)).toEqual(["0+8 FUA"]);
    expect(hex(cow.bytes(0, 1).subarray(0, 16))).toBe(
      "53 6e 41 70 00 00 00 00 01 00 00 00 08 00 00 00",
    );
    expect(cow.bytes(8, 1)[0]).toBe(5);
    const again = await load(cow.again());
    expect(again.result).toBe(LoadResult.Invalid);
    expect(again.exceptions).toEqual([]);
    expect(again.store.isValid).toBe(false);
  });

  it("while entries are being written leaves the area as it was meant", async () => {
    const { store, cow } = await fresh(1024);
    await commitAll(store, [5]);
    const newChunk = store.prepare();
    const told: boolean[] = [];
    await inTask(async (task) => {
      const write = cow.write.bind(cow);
      cow.write = (sector, from, flags) => {
        cow.write = write;
        void store.drop(task);
        return cow.write(sector, from, flags);
      };
      const onCommitted = (isDurable: boolean): void => void told.push(isDurable);
      await store.commit({ oldChunk: 6, newChunk, isCopied: true }, { onCommitted }, task);
    });
    expect(told).toEqual([false]);
    expect([cow.bytes(8, 1)[0], cow.bytes(8, 1)[16]]).toEqual([5, 6]);
  });
});

describe("a header is judged", () => {
  it("by its magic number", async () => {
    for (const bytes of ["78 56 34 12 01 00 00 00 01 00 00 00 08", "70 41 6e 53"]) {
      const cow = new MemoryCow(1024, header(bytes));
      await expect(load(cow)).rejects.toMatchObject({
        errno: "ENXIO",
        message: "persistent snapshot: Invalid or corrupt snapshot",
      });
      expect(cow.log).toEqual([]);
    }
  });

  it.each([
    ["01 00 00 00 02 00 00 00 08 00 00 00", "unable to handle snapshot disk version 2"],
    ["01 00 00 00 00 00 00 00 08 00 00 00", "unable to handle snapshot disk version 0"],
    [
      "01 00 00 00 01 00 00 00 00 00 00 00",
      "invalid on-disk chunk size 0: Chunk size is not a power of 2.",
    ],
    [
      "01 00 00 00 01 00 00 00 03 00 00 00",
      "invalid on-disk chunk size 3: Chunk size is not a power of 2.",
    ],
    [
      "01 00 00 00 01 00 00 00 00 00 40 00",
      "invalid on-disk chunk size 4194304: Chunk size is too high.",
    ],
  ])("%s is refused", async (rest, message) => {
    const cow = new MemoryCow(1024, header(`53 6e 41 70 ${rest}`));
    await expect(load(cow)).rejects.toMatchObject({
      errno: "EINVAL",
      message: `persistent snapshot: ${message}`,
    });
    expect(cow.log).toEqual([]);
  });

  it("a chunk that is no multiple of the devices' blocks is refused", async () => {
    const cow = new MemoryCow(1024, header("53 6e 41 70 01 0 0 0 01 0 0 0 04 0 0 0"), [512, 4096]);
    await expect(load(cow)).rejects.toThrow(
      "on-disk chunk size 4: Chunk size is not a multiple of the logical block size",
    );
  });

  it("any number but 0 says that it is valid", async () => {
    const cow = new MemoryCow(1024, header("53 6e 41 70 02 0 0 0 01 0 0 0 08 0 0 0"));
    const { result, store } = await load(cow);
    expect(result).toBe(LoadResult.Usable);
    expect(store.statusText()).toBe("16/1024 16");
  });

  it("its chunk size goes before the table's, with a warning", async () => {
    told.length = 0;
    const image = header("53 6e 41 70 01 0 0 0 01 0 0 0 10 0 0 0");
    const { store } = await load(new MemoryCow(1024, image));
    expect(store.chunkSectors).toBe(16);
    expect(store.statusText()).toBe("32/1024 32");
    expect(told).toEqual([
      "persistent snapshot: chunk size 16 in device metadata overrides table chunk size of 8.",
    ]);
    told.length = 0;
    expect((await load(new MemoryCow(1024, image), 0)).store.chunkSectors).toBe(16);
    expect(told).toEqual([]);
  });
});

describe("a damaged list", () => {
  it("with an entry behind the device gives silly numbers, and no further chunk", async () => {
    const { store, cow } = await fresh(1024);
    await commitAll(store, [5]);
    const area = cow.bytes(8, 8);
    new DataView(area.buffer).setUint32(8, 100_000, true);
    cow.write(8, area, 0);
    const again = await load(cow.again());
    expect(again.store.statusText()).toBe("800008/1024 16");
    expect(again.store.prepare()).toBe(-1);
    expect(again.store.remaining()).toBe(0);
  });

  it("with a number that no chunk has is refused", async () => {
    const { store, cow } = await fresh(1024);
    await commitAll(store, [5]);
    const area = cow.bytes(8, 8);
    area[7] = 0xff;
    cow.write(8, area, 0);
    await expect(load(cow.again())).rejects.toThrow("exception 0 of area 0 names a chunk that no");
  });

  it("ends where the device ends or fails: then it is refused", async () => {
    const { store, cow } = await fresh(8192);
    await commitAll(store, range(0, 256));
    await expect(load(cow.again(258 * 8))).rejects.toThrow("area 1 cannot be read");
    const broken = cow.again();
    broken.failing = (kind, sector) => kind === "read" && sector === 0;
    await expect(load(broken)).rejects.toMatchObject({ errno: "EIO" });
  });

  it("has its rest cleared before it grows, by a write of its own", async () => {
    const { store, cow } = await fresh(1024);
    await commitAll(store, [5]);
    const area = cow.bytes(8, 8);
    area.fill(7, 40 * 16, 41 * 16);
    cow.write(8, area, 0);
    const again = await load(cow.again());
    expect(again.exceptions).toEqual([[5, 2]]);
    expect(again.cow.log).toEqual([]);
    await commitAll(again.store, [6, 7]);
    expect(again.cow.story).toEqual(["8+8 FLUSH FUA", "8+8 FLUSH FUA", "8+8 FLUSH FUA"]);
    expect(again.cow.log[0]?.bytes.subarray(16).every((byte) => byte === 0)).toBe(true);
  });
});

describe("reading ahead", () => {
  it("reads many areas at once, and finds the same", async () => {
    const { store, cow } = await fresh(5000, 1);
    for (let done = 0; done < 3000; done += 30)
      await commitAll(store, range(done, 30), { together: true });
    const ahead = cow.again();
    ahead.offerReadAhead();
    expect((await load(ahead, 1)).exceptions).toEqual((await load(cow.again(), 1)).exceptions);
    expect(ahead.batches).toBe(3);
  });

  it("does not mind what fails behind the areas that are needed", async () => {
    const { store, cow } = await fresh(5000, 1);
    await commitAll(store, range(0, 70), { together: true });
    const ahead = cow.again();
    ahead.offerReadAhead();
    ahead.failing = (kind, sector) => kind === "read" && sector > 100;
    expect((await load(ahead, 1)).exceptions.length).toBe(70);
  });
});

it("a store that is made anew on a snapshot's device continues it", async () => {
  const { store, cow } = await fresh(1024);
  await commitAll(store, [1, 2]);
  const second = new PersistentStore({ io: cow, chunkSectors: 8, canOverflow: true });
  expect(second.type).toBe("PO");
  await inTask((task) => second.load(task, () => undefined));
  await commitAll(second, [3]);
  expect((await load(cow.again())).exceptions.map(([oldChunk]) => oldChunk)).toEqual([1, 2, 3]);
});
