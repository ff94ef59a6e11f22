import { BioStatus, SECTOR_BYTES } from "@blkstack/bio";
import { type Extent, ExtentLayer } from "@blkstack/block";
import { describe, expect, it } from "vitest";
import { ArrayDevice } from "../test/array-device.ts";
import { metaQuery, option, type RawChunk, type RawClient, request } from "../test/raw-client.ts";
import { MIB, serve } from "../test/serve.ts";
import { Chunk, Command, CommandFlag, Option } from "./wire.ts";

const STRUCTURED = option(Option.StructuredReply);
const ALLOCATION = 1;
const LAYER = 2;
const KIB = 1024;

/** A disk that knows which of its parts are zeroes: those for which `flagsOf` says so. */
class KnowingDevice extends ArrayDevice {
  readonly partBytes: number;
  readonly flagsOf: (part: number) => number;

  constructor(
    sizeBytes: number,
    partBytes: number,
    flagsOf: (part: number) => number,
    blockBytes = 512,
  ) {
    super(sizeBytes, { logicalBlockBytes: blockBytes, physicalBlockBytes: blockBytes });
    this.partBytes = partBytes;
    this.flagsOf = flagsOf;
    this.bytes.fill(7);
  }

  findExtent(sector: number, extent: Extent): void {
    const partSectors = this.partBytes / SECTOR_BYTES;
    const part = Math.floor(sector / partSectors);
    extent.sectors = Math.min(extent.sectors, (part + 1) * partSectors - sector);
    extent.flags = this.flagsOf(part);
    extent.layer = part % 2 === 0 ? ExtentLayer.Origin : ExtentLayer.Cow;
  }
}

/** 64 KiB of data, 64 KiB of hole, and so on. */
function stripes(): KnowingDevice {
  return new KnowingDevice(MIB, 64 * KIB, (part) => (part % 2 === 1 ? 3 : 0));
}

async function connected(
  served: { connect(): RawClient },
  ...queries: string[]
): Promise<RawClient> {
  const client = served.connect();
  const set = option(Option.SetMetaContext, metaQuery("", ...queries));
  await client.goAfter([STRUCTURED, set]);
  return client;
}

/** A chunk of BLOCK_STATUS: which context, and its lengths and statuses in turn. */
function statusOf({ type, body }: RawChunk): { id: number; extents: number[] } {
  expect(type).toBe(Chunk.BlockStatus);
  const words = Array.from({ length: body.length / 4 }, (_, n) => body.readUInt32BE(n * 4));
  return { id: words[0] ?? 0, extents: words.slice(1) };
}

async function status(client: RawClient, offset: number, length: number, flags = 0) {
  client.send(request({ command: Command.BlockStatus, offset, length, flags }));
  return statusOf(await client.chunk());
}

async function errorOf(client: RawClient): Promise<number> {
  const chunk = await client.chunk();
  expect(chunk.isDone).toBe(true);
  expect([Chunk.Error, Chunk.ErrorOffset]).toContain(chunk.type);
  return chunk.body.readUInt32BE(0);
}

describe("block status", () => {
  it("tells where data and holes are, and clips them to what was asked", async () => {
    const client = await connected(await serve(stripes()), "base:allocation");
    const { id, extents } = await status(client, 64 * KIB - 100, 130 * KIB);
    expect(id).toBe(ALLOCATION);
    expect(extents).toEqual([100, 0, 64 * KIB, 3, 64 * KIB, 0, 2 * KIB - 100, 3]);
  });

  it("tells of a device that knows nothing that all is data", async () => {
    const client = await connected(await serve(), "base:allocation");
    expect((await status(client, 1, 1)).extents).toEqual([1, 0]);
    expect((await status(client, 0, MIB)).extents).toEqual([MIB, 0]);
  });

  it("tells one extent when one was asked for, and no more than was asked for (T18)", async () => {
    const client = await connected(await serve(stripes()), "base:allocation");
    const one = CommandFlag.RequestOne;
    expect((await status(client, 0, MIB, one)).extents).toEqual([64 * KIB, 0]);
    expect((await status(client, 0, 512, one)).extents).toEqual([512, 0]);
  });

  it("tells at most 1024 extents, and each has a length (T19)", async () => {
    const device = new KnowingDevice(MIB, 512, (part) => (part % 2) * 3);
    const client = await connected(await serve(device), "base:allocation");
    const { extents } = await status(client, 0, MIB);
    expect(extents).toHaveLength(2 * 1024);
    expect(extents.filter((_, n) => n % 2 === 0).every((length) => length === 512)).toBe(true);
  });

  it("ends early rather than look at a device for ever", async () => {
    const client = await connected(
      await serve(new KnowingDevice(4 * MIB, 512, () => 0)),
      "base:allocation",
    );
    expect((await status(client, 0, 4 * MIB)).extents).toEqual([2048 * 512, 0]);
  });

  it("answers with one chunk for each context, the last of them marked", async () => {
    const client = await connected(await serve(stripes()), "base:allocation", "blkstack:layer");
    client.send(request({ command: Command.BlockStatus, cookie: 5n, length: 65 * KIB }));
    const chunks = [await client.chunk(), await client.chunk()];
    expect(chunks.map(({ isDone, cookie }) => [isDone, cookie])).toEqual([
      [false, 5n],
      [true, 5n],
    ]);
    expect(chunks.map(statusOf)).toEqual([
      { id: ALLOCATION, extents: [64 * KIB, 0, KIB, 3] },
      { id: LAYER, extents: [64 * KIB, ExtentLayer.Origin, KIB, ExtentLayer.Cow] },
    ]);
  });

  it("is refused past the end, for no bytes, and without a context (T20, T21)", async () => {
    const served = await serve();
    const client = await connected(served, "base:allocation");
    client.send(request({ command: Command.BlockStatus, offset: MIB - 512, length: 1024 }));
    expect(await errorOf(client)).toBe(22);
    client.send(request({ command: Command.BlockStatus, length: 0 }));
    expect(await errorOf(client)).toBe(22);
    const without = await connected(served, "nobody:knows");
    without.send(request({ command: Command.BlockStatus, length: 512 }));
    expect(await errorOf(without)).toBe(22);
    const simple = served.connect();
    await simple.go();
    simple.send(request({ command: Command.BlockStatus, length: 512 }));
    expect((await simple.reply()).error).toBe(22);
  });

  it("is not to be had for another export than it was chosen for", async () => {
    const client = (await serve()).connect();
    const set = option(Option.SetMetaContext, metaQuery("", "base:allocation"));
    await client.goAfter([STRUCTURED, set], "disk");
    client.send(request({ command: Command.BlockStatus, length: 512 }));
    expect(await errorOf(client)).toBe(22);
  });

  it("answers lengths of nearly 2^32 at any offset (T27)", async () => {
    const device = new (class extends ArrayDevice {
      override readonly sizeSectors = (5 * 1024 * MIB) / SECTOR_BYTES;
    })(MIB);
    const client = await connected(await serve(device), "base:allocation");
    for (const offset of [0, 1, 2, 511, 512]) {
      expect((await status(client, offset, 2 ** 32 - 1)).extents).toEqual([2 ** 32 - 1, 0]);
    }
  });
});

describe("a read of a device that knows its holes", () => {
  it("brings data, and tells holes instead of sending them (T15)", async () => {
    const client = await connected(await serve(stripes()));
    client.send(request({ command: Command.Read, offset: 100, length: MIB - 100 }));
    let end = 100;
    for (let n = 0; n < 16; n += 1) {
      const { isDone, type, body } = await client.chunk();
      expect([isDone, type]).toEqual([n === 15, n % 2 === 0 ? Chunk.OffsetData : Chunk.OffsetHole]);
      expect(Number(body.readBigUInt64BE(0))).toBe(end);
      end += type === Chunk.OffsetHole ? body.readUInt32BE(8) : body.length - 8;
      if (type === Chunk.OffsetData)
        expect(body.subarray(8).every((byte) => byte === 7)).toBe(true);
    }
    expect(end).toBe(MIB);
  });

  it("brings long data between holes from where it lies", async () => {
    const device = new KnowingDevice(MIB, 256 * KIB, (part) => (part % 2 === 0 ? 3 : 0), 4096);
    device.bytes.set(Buffer.from("here"), 256 * KIB);
    const client = await connected(await serve(device));
    client.send(request({ command: Command.Read, offset: 5, length: MIB - 5 }));
    const chunks = [];
    for (let n = 0; n < 4; n += 1) chunks.push(await client.chunk());
    expect(chunks.map(({ type }) => type)).toEqual([2, 1, 2, 1]);
    expect(chunks[0]?.body.readUInt32BE(8)).toBe(256 * KIB - 5);
    expect(chunks[1]?.body.toString("utf8", 8, 12)).toBe("here");
    expect(chunks[1]?.body).toHaveLength(8 + 256 * KIB);
  });

  it("does not reach the device when there is nothing but a hole", async () => {
    const served = await serve(stripes());
    const client = await connected(served);
    client.send(request({ command: Command.Read, offset: 64 * KIB, length: 64 * KIB }));
    const { isDone, type, body } = await client.chunk();
    expect([isDone, type, body.readUInt32BE(8)]).toEqual([true, Chunk.OffsetHole, 64 * KIB]);
    expect(served.device.seen).toEqual([]);
  });

  it("comes in one chunk when it must not be cut, or is short", async () => {
    const client = await connected(await serve(stripes()));
    const flags = CommandFlag.DontFragment;
    client.send(request({ command: Command.Read, flags, length: MIB }));
    expect(await client.chunk()).toMatchObject({ isDone: true, type: Chunk.OffsetData });
    client.send(request({ command: Command.Read, offset: 64 * KIB, length: 4096 }));
    expect(await client.chunk()).toMatchObject({ isDone: true, type: Chunk.OffsetData });
  });

  it("has 32 pieces at most, and the last of them is what is left", async () => {
    const device = new KnowingDevice(MIB, 4096, (part) => (part % 2) * 3);
    const client = await connected(await serve(device));
    client.send(request({ command: Command.Read, length: MIB }));
    let [count, bytes] = [0, 0];
    for (let isDone = false; !isDone; count += 1) {
      const chunk = await client.chunk();
      isDone = chunk.isDone;
      bytes += chunk.type === Chunk.OffsetHole ? chunk.body.readUInt32BE(8) : chunk.body.length - 8;
    }
    expect([count, bytes]).toEqual([31, MIB]);
  });

  it("that fails is one error", async () => {
    const device = stripes();
    device.status = BioStatus.IoError;
    const client = await connected(await serve(device));
    client.send(request({ command: Command.Read, length: MIB }));
    expect(await errorOf(client)).toBe(5);
  });

  it("is data for those who do not speak of chunks", async () => {
    const client = (await serve(stripes())).connect();
    await client.go();
    client.send(request({ command: Command.Read, length: MIB }));
    expect((await client.reply()).error).toBe(0);
    expect((await client.take(MIB)).every((byte) => byte === 7)).toBe(true);
  });
});
