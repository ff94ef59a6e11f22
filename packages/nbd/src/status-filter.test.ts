import { describe, expect, it, vi } from "vitest";
import {
  ALLOCATION,
  ask,
  connected,
  errorOf,
  EXTENDED,
  LAYER,
  PAYLOAD,
} from "../test/extended-client.ts";
import {
  extendedRequest,
  metaQuery,
  option,
  type RawClient,
  type RawExtendedChunk,
  u32,
  u64,
} from "../test/raw-client.ts";
import { MIB, serve } from "../test/serve.ts";
import { Chunk, Command, Option, TransmissionFlag } from "./wire.ts";

const { Read } = Command;

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
