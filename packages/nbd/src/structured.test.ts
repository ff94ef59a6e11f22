import { BioStatus } from "@blkstack/bio";
import { describe, expect, it } from "vitest";
import { ArrayDevice } from "../test/array-device.ts";
import { option, type RawChunk, type RawClient, request } from "../test/raw-client.ts";
import { MIB, serve } from "../test/serve.ts";
import { Chunk, Command, Option } from "./wire.ts";

const DONT_FRAGMENT = 4;

async function connected(served: { connect(): RawClient }): Promise<RawClient> {
  const client = served.connect();
  await client.goAfter([option(Option.StructuredReply)]);
  return client;
}

/** The text of an error chunk, and what follows it. */
function errorOf({ body }: RawChunk): { error: number; text: string; rest: Buffer } {
  const textEnd = 6 + body.readUInt16BE(4);
  return {
    error: body.readUInt32BE(0),
    text: body.toString("utf8", 6, textEnd),
    rest: body.subarray(textEnd),
  };
}

describe("structured replies", () => {
  it("bring data in one chunk with its offset, which is the last one", async () => {
    const served = await serve();
    served.device.bytes.set(Buffer.from("bcdef"), 4097);
    const client = await connected(served);
    client.send(request({ command: Command.Read, cookie: 7n, offset: 4097, length: 5 }));
    const body = Buffer.concat([Buffer.from("0000000000001001", "hex"), Buffer.from("bcdef")]);
    expect(await client.chunk()).toEqual({
      isDone: true,
      type: Chunk.OffsetData,
      cookie: 7n,
      body,
    });
  });

  it("bring long data whole, and the next reply behind it", async () => {
    const served = await serve();
    served.device.bytes.fill(9);
    const client = await connected(served);
    client.send(
      request({ command: Command.Read, length: MIB }),
      request({ command: Command.Read, cookie: 2n, length: 512 }),
    );
    const first = await client.chunk();
    expect(first.body.subarray(8).equals(served.device.bytes)).toBe(true);
    expect((await client.chunk()).body).toHaveLength(8 + 512);
  });

  it("are one empty chunk where there is no data", async () => {
    const client = await connected(await serve());
    const nothing = { isDone: true, type: Chunk.None, cookie: 1n, body: Buffer.alloc(0) };
    client.send(request({ command: Command.Write, length: 512 }), Buffer.alloc(512));
    expect(await client.chunk()).toEqual(nothing);
    client.send(request({ command: Command.Flush }));
    expect(await client.chunk()).toEqual(nothing);
  });

  it("say what is wrong with a read past the end, and where it begins to be (T14)", async () => {
    const client = await connected(await serve());
    client.send(request({ command: Command.Read, cookie: 3n, offset: MIB - 512, length: 1024 }));
    const chunk = await client.chunk();
    expect(chunk).toMatchObject({ isDone: true, type: Chunk.ErrorOffset, cookie: 3n });
    const { error, text, rest } = errorOf(chunk);
    expect(error).toBe(22);
    expect(text).toContain("end of the export");
    expect(rest.readBigUInt64BE(0)).toBe(BigInt(MIB));
  });

  it("name no place that the request does not have", async () => {
    const client = await connected(await serve());
    for (const offset of [2n ** 64n - 512n, 2n ** 53n]) {
      client.send(request({ command: Command.Read, offset, length: 1024 }));
      const chunk = await client.chunk();
      expect(chunk.type).toBe(Chunk.Error);
      expect(errorOf(chunk).error).toBe(22);
    }
  });

  it("tell the place of an I/O error where only one block can be meant", async () => {
    const device = new ArrayDevice(MIB);
    device.status = BioStatus.IoError;
    const client = await connected(await serve(device));
    client.send(request({ command: Command.Read, offset: 1024, length: 512 }));
    const one = await client.chunk();
    expect(one.type).toBe(Chunk.ErrorOffset);
    expect(errorOf(one)).toMatchObject({ error: 5, text: "the device reports an I/O error" });
    expect(errorOf(one).rest.readBigUInt64BE(0)).toBe(1024n);
    client.send(request({ command: Command.Read, offset: 1024, length: 1024 }));
    expect((await client.chunk()).type).toBe(Chunk.Error);
  });

  it("forget what was wrong before", async () => {
    const client = await connected(await serve());
    client.send(request({ command: 77 }));
    expect(errorOf(await client.chunk()).text).toContain("no such command");
    client.send(request({ command: Command.Write, length: 1, offset: MIB }), Buffer.alloc(1));
    expect(errorOf(await client.chunk()).error).toBe(28);
    client.send(request({ command: Command.Read, flags: 0x8000, length: 1 }));
    const chunk = await client.chunk();
    expect(chunk.type).toBe(Chunk.Error);
    expect(errorOf(chunk).text).toContain("flag");
  });

  it("take the flag that forbids to cut a read, which simple replies do not (T16, T17)", async () => {
    const served = await serve();
    const structured = served.connect();
    const { flags } = await structured.goAfter([option(Option.StructuredReply)]);
    expect(flags & 0x80).toBe(0x80);
    const fields = { command: Command.Read, flags: DONT_FRAGMENT, length: 65_536 };
    structured.send(request(fields));
    expect((await structured.chunk()).body).toHaveLength(8 + 65_536);
    const simple = served.connect();
    expect((await simple.go()).flags & 0x80).toBe(0);
    simple.send(request(fields));
    expect((await simple.reply()).error).toBe(22);
  });
});
