import { BioOp, BioStatus, SECTOR_BYTES } from "@blkstack/bio";
import { type Extent, ExtentFlag, ExtentLayer } from "@blkstack/block";
import { RamDisk } from "@blkstack/disk-ram";
import { EventLoopScheduler } from "@blkstack/task/node";
import { describe, expect, it, vi } from "vitest";
import { ArrayDevice } from "../test/array-device.ts";
import {
  extendedRequest,
  metaQuery,
  option,
  query,
  type RawClient,
  type RawExtendedChunk,
  type RawRequest,
  request,
  u32,
} from "../test/raw-client.ts";
import { MIB, serve } from "../test/serve.ts";
import { NbdClient } from "./index.ts";
import { Chunk, Command, CommandFlag, Option, OptionReply, TransmissionFlag } from "./wire.ts";

const EXTENDED = option(Option.ExtendedHeaders);
const PAYLOAD = CommandFlag.PayloadLength;
const TIB = 2 ** 40;
const ALLOCATION = 1;
const LAYER = 2;

async function connected(
  served: { connect(): RawClient },
  ...contexts: string[]
): Promise<RawClient> {
  const client = served.connect();
  const set = option(Option.SetMetaContext, metaQuery("", ...contexts));
  await client.goAfter(contexts.length === 0 ? [EXTENDED] : [EXTENDED, set]);
  return client;
}

async function ask(
  client: RawClient,
  fields: RawRequest,
  payload: Uint8Array = Buffer.alloc(0),
): Promise<RawExtendedChunk> {
  client.send(extendedRequest(fields), payload);
  return client.extendedChunk();
}

function errorOf({ type, body }: RawExtendedChunk): number {
  return type >= Chunk.Error ? body.readUInt32BE(0) : 0;
}

function u64(value: bigint | number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

describe("extended headers", () => {
  it("are for whom asks, before or after structured replies, and only once", async () => {
    const client = (await serve()).connect();
    await client.greet();
    client.send(option(Option.StructuredReply), EXTENDED, EXTENDED, option(Option.StructuredReply));
    const types: number[] = [];
    for (let n = 0; n < 4; n += 1) types.push((await client.optionReply()).type);
    const { Ack, ErrInvalid, ErrExtendedHeaders } = OptionReply;
    expect(types).toEqual([Ack, Ack, ErrInvalid, ErrExtendedHeaders]);
    client.send(option(Option.ExtendedHeaders, Buffer.alloc(1)));
    expect((await client.optionReply()).type).toBe(ErrInvalid);
  });

  it("do not go with EXPORT_NAME, which closes", async () => {
    const client = (await serve()).connect();
    await client.greet();
    client.send(EXTENDED);
    await client.optionReply();
    client.send(option(Option.ExportName, Buffer.from("disk")));
    expect(await client.takeAll()).toHaveLength(0);
  });

  it.each(["extended-headers", "structured-reply"] as const)(
    "are unknown to a server that must not offer %s",
    async (feature) => {
      const client = (await serve(undefined, { disable: [feature] })).connect();
      await client.greet();
      client.send(EXTENDED);
      expect((await client.optionReply()).type).toBe(OptionReply.ErrUnsupported);
      client.send(option(Option.Go, query("")));
      expect((await client.optionReply()).type).toBe(OptionReply.Info);
    },
  );

  it("carry every command, and each reply tells cookie and offset to the bit", async () => {
    const client = await connected(await serve(), "base:allocation");
    const cookie = 0xfedc_ba98_7654_3210n;
    const data = Buffer.from("0123456789");
    const write = { command: Command.Write, flags: PAYLOAD, cookie, offset: 4095, length: 10 };
    const nothing = {
      isDone: true,
      type: Chunk.None,
      cookie,
      offset: 4095n,
      body: u32(0).subarray(4),
    };
    expect(await ask(client, write, data)).toEqual(nothing);
    const { Read, Flush, Trim, Cache, WriteZeroes, BlockStatus } = Command;
    const read = await ask(client, { command: Read, cookie, offset: 4095, length: 10 });
    expect(read).toEqual({
      ...nothing,
      type: Chunk.OffsetData,
      body: Buffer.concat([u64(4095), data]),
    });
    for (const command of [Flush, Trim, Cache, WriteZeroes]) {
      expect(await ask(client, { command, cookie, offset: 4095, length: 10 })).toEqual(nothing);
    }
    const status = await ask(client, { command: BlockStatus, offset: 512, length: 1024 });
    expect(status).toMatchObject({ type: Chunk.ExtendedBlockStatus, offset: 512n, isDone: true });
    expect(status.body).toEqual(Buffer.concat([u32(ALLOCATION), u32(1), u64(1024), u64(0)]));
  });

  it("carry 1 MiB of data, and a read cut at holes", async () => {
    class Half extends ArrayDevice {
      findExtent(sector: number, extent: Extent): void {
        const half = this.sizeSectors / 2;
        extent.flags = sector < half ? 0 : ExtentFlag.Hole | ExtentFlag.Zero;
        extent.layer = ExtentLayer.Only;
        extent.sectors = Math.min(extent.sectors, sector < half ? half - sector : Infinity);
      }
    }
    const device = new Half(2 * MIB);
    device.bytes.fill(5, 0, MIB);
    const client = await connected(await serve(device));
    const data = await ask(client, { command: Command.Read, length: 2 * MIB });
    expect(data).toMatchObject({ isDone: false, type: Chunk.OffsetData, offset: 0n });
    expect(data.body.subarray(8).equals(device.bytes.subarray(0, MIB))).toBe(true);
    expect(await client.extendedChunk()).toMatchObject({
      isDone: true,
      type: Chunk.OffsetHole,
      offset: 0n,
      body: Buffer.concat([u64(MIB), u32(MIB)]),
    });
  });

  it("may come one byte at a time", async () => {
    const client = await connected(await serve());
    const write = { command: Command.Write, flags: PAYLOAD, length: 3 };
    for (const byte of Buffer.concat([extendedRequest(write), Buffer.from("abc")])) {
      client.send(Buffer.from([byte]));
      await new Promise(setImmediate);
    }
    expect((await client.extendedChunk()).type).toBe(Chunk.None);
    const { body } = await ask(client, { command: Command.Read, length: 3 });
    expect(body.subarray(8).toString()).toBe("abc");
  });

  it("close the connection of whom sends a compact one, and no other", async () => {
    const served = await serve();
    const client = await connected(served);
    client.send(request({ command: Command.Flush }), Buffer.alloc(4));
    expect(await client.takeAll()).toHaveLength(0);
    expect(errorOf(await ask(await connected(served), { command: Command.Flush }))).toBe(0);
  });

  const { Read, Write, Trim, WriteZeroes, Cache, Flush } = Command;
  const TWO_53 = 2n ** 53n;
  const TWO_63 = 2n ** 63n;
  it.each([
    [
      "a write that does not say that it brings its payload",
      { command: Write, length: 512 },
      0,
      22,
    ],
    ["a read that brings a payload", { command: Read, flags: PAYLOAD, length: 700 }, 700, 22],
    ["a flush that brings a payload", { command: Flush, flags: PAYLOAD, length: 5 }, 5, 22],
    ["a trim that brings a payload", { command: Trim, flags: PAYLOAD, length: 1024 }, 1024, 22],
    ["an unknown command with a payload", { command: 77, flags: PAYLOAD, length: 99 }, 99, 22],
    ["a status with a payload but no context", { command: 7, flags: PAYLOAD, length: 12 }, 12, 22],
    ["a write of nothing", { command: Write, flags: PAYLOAD }, 0, 22],
    ["a write past the end", { command: Write, flags: PAYLOAD, offset: MIB, length: 9 }, 9, 28],
    ["a read of 4 GiB", { command: Read, length: 2 ** 32 }, 0, 22],
    ["a read of 2^63 bytes", { command: Read, length: TWO_63 }, 0, 22],
    [
      "a read of 2^64 - 1 bytes at 2^64 - 1",
      { command: Read, offset: 2n ** 64n - 1n, length: 2n ** 64n - 1n },
      0,
      22,
    ],
    ["a trim of 2^32 bytes and one block", { command: Trim, length: 2 ** 32 + 512 }, 0, 22],
    ["a trim of 2^53 + 512 bytes", { command: Trim, length: TWO_53 + 512n }, 0, 22],
    ["zeroes of 2^63 - 512 bytes", { command: WriteZeroes, length: TWO_63 - 512n }, 0, 28],
    [
      "zeroes that wrap 2^64",
      { command: WriteZeroes, offset: 512, length: 2n ** 64n - 512n },
      0,
      28,
    ],
    ["a cache of 2^63 bytes", { command: Cache, length: TWO_63 }, 0, 22],
  ])("bear %s, and stay in step", async (_what, fields, payloadBytes, error) => {
    const client = await connected(await serve());
    const chunk = await ask(client, fields, Buffer.alloc(payloadBytes));
    expect(errorOf(chunk)).toBe(error);
    expect(chunk.offset).toBe(BigInt(("offset" in fields ? fields.offset : undefined) ?? 0));
    const next = await ask(client, { command: Read, cookie: 99n, length: 512 });
    expect(next).toMatchObject({ cookie: 99n, type: Chunk.OffsetData });
  });

  it("count refused lengths for nothing, and have them wait for nobody", async () => {
    const served = await serve(new ArrayDevice(MIB), { limits: { bytesInFlightMax: MIB } });
    const client = await connected(served);
    served.device.isHolding = true;
    client.send(extendedRequest({ command: Read, cookie: 7n, length: 512 }));
    for (let n = 0; n < 20; n += 1) {
      expect(errorOf(await ask(client, { command: Read, length: TWO_63 + 12345n }))).toBe(22);
    }
    served.device.letGo();
    expect(await client.extendedChunk()).toMatchObject({ cookie: 7n, type: Chunk.OffsetData });
  });

  it.each([Write, Read])(
    "close on a payload that is too long for any command (%i)",
    async (command) => {
      const served = await serve();
      const client = await connected(served);
      client.send(extendedRequest({ command, flags: PAYLOAD, length: 2 ** 32 }), Buffer.alloc(512));
      expect(await client.takeAll()).toHaveLength(0);
      expect(served.server.counters.pagesInUse).toBe(0);
    },
  );
});

describe("a long request", () => {
  it.each([
    ["trim", Command.Trim, BioOp.Discard],
    ["zeroes", Command.WriteZeroes, BioOp.WriteZeroes],
  ])("of %s is cut into bios that have room for their length", async (_what, command, op) => {
    const device = ArrayDevice.vast(3 * TIB);
    device.isLate = true;
    const client = await connected(await serve(device));
    const begin = 1024;
    const end = 10 * 2 ** 30 + 512;
    expect(errorOf(await ask(client, { command, offset: begin, length: end - begin }))).toBe(0);
    let at = begin / SECTOR_BYTES;
    for (const seen of device.seen) {
      expect(seen).toMatchObject({ op, sector: at });
      expect(seen.sectors).toBeGreaterThan(0);
      at += seen.sectors;
    }
    expect(at * SECTOR_BYTES).toBe(end);
    expect(device.seen.length).toBeLessThan(10);
  });

  it("ends with the error of the step that failed, and does no other", async () => {
    const device = ArrayDevice.vast(TIB);
    device.isHolding = true;
    const client = await connected(await serve(device));
    client.send(extendedRequest({ command: Command.WriteZeroes, length: TIB }));
    await vi.waitFor(() => {
      expect(device.held).toHaveLength(1);
    });
    device.status = BioStatus.NoSpace;
    device.letGo();
    expect(errorOf(await client.extendedChunk())).toBe(28);
    expect(device.seen).toHaveLength(1);
  });

  it("lets other requests of its connection pass, though its device never makes anybody wait", async () => {
    const device = ArrayDevice.vast(64 * TIB, { maxWriteZeroesSectors: 0 });
    const client = await connected(await serve(device));
    client.send(extendedRequest({ command: Command.WriteZeroes, cookie: 1n, length: 64 * TIB }));
    const flush = await ask(client, { command: Command.Flush, cookie: 2n });
    expect(flush.cookie).toBe(2n);
    const zeroesSeen = device.seen.length;
    expect((await ask(client, { command: Command.Flush, cookie: 3n })).cookie).toBe(3n);
    expect(device.seen.length).toBeGreaterThan(zeroesSeen);
  });

  it("ends with its connection, at the latest when the server stops waiting", async () => {
    const device = ArrayDevice.vast(64 * TIB, { maxWriteZeroesSectors: 0 });
    const served = await serve(device, { limits: { closeMs: 30 } });
    const client = await connected(served);
    client.send(extendedRequest({ command: Command.WriteZeroes, length: 64 * TIB }));
    await vi.waitFor(() => {
      expect(device.seen.length).toBeGreaterThan(2);
    });
    await served.server.close();
    await vi.waitFor(() => {
      expect(served.server.counters.pagesInUse).toBe(0);
    });
  });

  it("is right on a disk of nearly 2^53 bytes", async () => {
    const scheduler = new EventLoopScheduler();
    const sizeSectors = 2 ** 44 - 1;
    const disk = new RamDisk({ name: "huge", sizeSectors, scheduler });
    const served = await serve(disk);
    const client = await connected(served, "base:allocation");
    const size = sizeSectors * SECTOR_BYTES;
    const last = { offset: size - 512, length: 512 };
    const data = Buffer.alloc(512, "end");
    expect(errorOf(await ask(client, { command: Write, flags: PAYLOAD, ...last }, data))).toBe(0);
    const status = { command: Command.BlockStatus, offset: size - 2 ** 30, length: 2 ** 30 };
    const { body } = await ask(client, status);
    const hole = BigInt(ExtentFlag.Hole | ExtentFlag.Zero);
    const before = body.readBigUInt64BE(8);
    const expected = [u64(before), u64(hole), u64(2n ** 30n - before), u64(0)];
    expect(body.subarray(8)).toEqual(Buffer.concat(expected));
    expect(before).toBeGreaterThan(0n);
    const zeroes = {
      command: Command.WriteZeroes,
      offset: size - 6 * 2 ** 30,
      length: 6 * 2 ** 30,
    };
    expect(errorOf(await ask(client, zeroes))).toBe(0);
    const read = await ask(client, { command: Read, ...last });
    expect(read.body.subarray(8).every((byte) => byte === 0)).toBe(true);
    expect(errorOf(await ask(client, { ...zeroes, length: zeroes.length + 1 }))).toBe(28);
  });
});

const { Read, Write } = Command;

describe("a filter of block status", () => {
  const filtered = (length: bigint | number, ...ids: number[]): Buffer =>
    Buffer.concat([u64(length), ...ids.map(u32)]);

  async function status(client: RawClient, payload: Buffer, offset = 0): Promise<RawExtendedChunk> {
    const fields = { command: Command.BlockStatus, flags: PAYLOAD, offset, length: payload.length };
    return ask(client, fields, payload);
  }

  it("is offered to whom has chosen contexts under extended headers, and to nobody else", async () => {
    const served = await serve();
    const { BlockStatusPayload } = TransmissionFlag;
    const contexts = option(Option.SetMetaContext, metaQuery("", "base:allocation"));
    const ofOther = option(Option.SetMetaContext, metaQuery("disk", "base:allocation"));
    const structured = option(Option.StructuredReply);
    const flagsAfter = async (...options: Buffer[]): Promise<number> =>
      (await served.connect().goAfter(options)).flags & BlockStatusPayload;
    expect(await flagsAfter(EXTENDED, contexts)).toBe(BlockStatusPayload);
    expect(await flagsAfter(EXTENDED)).toBe(0);
    expect(await flagsAfter(EXTENDED, ofOther)).toBe(0);
    expect(await flagsAfter(structured, contexts)).toBe(0);
  });

  it("has only the contexts that it names answer, for the length that it says", async () => {
    const client = await connected(await serve(), "base:allocation", "blkstack:layer");
    const all = { command: Command.BlockStatus, length: 1024 };
    expect(await ask(client, all)).toMatchObject({ isDone: false });
    expect(await client.extendedChunk()).toMatchObject({ isDone: true });
    const one = await status(client, filtered(2048, LAYER), 512);
    expect(one).toMatchObject({ isDone: true, type: Chunk.ExtendedBlockStatus, offset: 512n });
    expect(one.body).toEqual(Buffer.concat([u32(LAYER), u32(1), u64(2048), u64(0)]));
    const both = await status(client, filtered(512, LAYER, ALLOCATION));
    expect(both.body.readUInt32BE(0)).toBe(LAYER);
    expect((await client.extendedChunk()).body.readUInt32BE(0)).toBe(ALLOCATION);
  });

  it.each([
    ["names a context that was not chosen", filtered(512, LAYER)],
    ["names one twice", filtered(512, ALLOCATION, ALLOCATION)],
    ["names none", filtered(512)],
    ["is too short", Buffer.alloc(7)],
    ["is not whole", Buffer.concat([filtered(512, ALLOCATION), Buffer.alloc(2)])],
    ["is as long as a payload may be", Buffer.alloc(2 * MIB, 1)],
    ["is about nothing", filtered(0, ALLOCATION)],
    ["goes past the end", filtered(MIB + 1, ALLOCATION)],
    ["goes past 2^63", filtered(2n ** 63n, ALLOCATION)],
  ])("that %s is refused, and taken off the line", async (_what, payload) => {
    const client = await connected(await serve(), "base:allocation");
    expect(errorOf(await status(client, payload))).toBe(22);
    expect(errorOf(await ask(client, { command: Read, length: 512 }))).toBe(0);
  });

  it("does not have one of two contexts answer twice", async () => {
    const client = await connected(await serve(), "base:allocation", "blkstack:layer");
    expect(errorOf(await status(client, filtered(512, LAYER, LAYER)))).toBe(22);
    expect(errorOf(await ask(client, { command: Read, length: 512 }))).toBe(0);
  });

  it("may come in pieces, and its client may vanish between them", async () => {
    const served = await serve();
    const client = await connected(served, "base:allocation");
    const payload = filtered(512, ALLOCATION);
    const fields = { command: Command.BlockStatus, flags: PAYLOAD, length: payload.length };
    for (const byte of Buffer.concat([extendedRequest(fields), payload])) {
      client.send(Buffer.from([byte]));
      await new Promise(setImmediate);
    }
    expect((await client.extendedChunk()).type).toBe(Chunk.ExtendedBlockStatus);
    client.send(extendedRequest(fields), payload.subarray(0, 5));
    await new Promise(setImmediate);
    client.vanish();
    await vi.waitFor(() => {
      expect(served.server.counters.connections).toBe(0);
    });
  });
});

describe("the client with extended headers", () => {
  const wish = { extendedHeaders: true };

  it("writes, reads and zeroes, and has the server's words for what is wrong", async () => {
    const served = await serve(new ArrayDevice(MIB));
    const client = await NbdClient.connect({ unix: served.path }, "disk", wish);
    expect(client.hasExtendedHeaders).toBe(true);
    await client.write(511, Buffer.from("over a border"), { fua: true });
    await client.flush();
    expect(Buffer.from(await client.read(511, 13)).toString()).toBe("over a border");
    await client.writeZeroes(512, 512);
    expect(Buffer.from(await client.read(511, 3))).toEqual(Buffer.from("o\0\0"));
    const past = client.read(MIB, 1);
    await expect(past).rejects.toMatchObject({ code: "NBD_REPLY", errno: 22 });
    await expect(past).rejects.toThrow(/ends behind the end of the export/);
    expect(await client.read(0, 0)).toHaveLength(0);
    await client.close();
  });

  it("trims and zeroes more than 4 GiB at once", async () => {
    const device = ArrayDevice.vast(TIB);
    const client = await NbdClient.connect({ unix: (await serve(device)).path }, "", wish);
    await client.writeZeroes(0, TIB);
    await client.trim(512, 5 * 2 ** 30);
    const sectors = (op: BioOp): number =>
      device.seen.filter((bio) => bio.op === op).reduce((sum, bio) => sum + bio.sectors, 0);
    expect(sectors(BioOp.WriteZeroes) * SECTOR_BYTES).toBe(TIB);
    expect(sectors(BioOp.Discard) * SECTOR_BYTES).toBe(5 * 2 ** 30);
    await client.close();
  });

  it("goes without where the server does not know them, and then has a range of 4 GiB refused", async () => {
    const { path } = await serve(ArrayDevice.vast(TIB), { disable: ["extended-headers"] });
    const client = await NbdClient.connect({ unix: path }, "", wish);
    expect(client.hasExtendedHeaders).toBe(false);
    await client.trim(0, 2 ** 32 - 512);
    await expect(client.trim(0, 2 ** 32)).rejects.toBeInstanceOf(RangeError);
    await client.close();
  });

  it("puts a read together that comes in data and holes", async () => {
    const scheduler = new EventLoopScheduler();
    const disk = new RamDisk({ name: "sparse", sizeSectors: 8192, scheduler });
    const served = await serve(disk);
    const client = await NbdClient.connect({ unix: served.path }, "", wish);
    await client.write(MIB, Buffer.alloc(MIB, 7));
    const all = await client.read(0, 4 * MIB);
    expect(all.every((byte, at) => byte === (at >= MIB && at < 2 * MIB ? 7 : 0))).toBe(true);
    await client.close();
  });
});
