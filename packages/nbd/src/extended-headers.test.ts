import { type Extent, ExtentFlag, ExtentLayer } from "@blkstack/block";
import { describe, expect, it } from "vitest";
import { ArrayDevice } from "../test/array-device.ts";
import { ALLOCATION, ask, connected, errorOf, EXTENDED, PAYLOAD } from "../test/extended-client.ts";
import { extendedRequest, option, query, request, u32, u64 } from "../test/raw-client.ts";
import { MIB, serve } from "../test/serve.ts";
import { Chunk, Command, Option, OptionReply } from "./wire.ts";

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
