import { describe, expect, it } from "vitest";
import { HoleyDevice } from "../test/holey-device.ts";
import { u16, u32, u64 } from "../test/raw-client.ts";
import { scripted } from "../test/scripted-server.ts";
import { MIB, serve } from "../test/serve.ts";
import { NbdClient, type NbdServerOptions } from "./index.ts";

const ASKING = { blockStatus: true, extendedHeaders: true } as const;

const SERVERS: readonly (readonly [string, NbdServerOptions["disable"]])[] = [
  ["in headers with room for 64 bits", []],
  ["in those without", ["extended-headers"]],
];

describe("a client that asks what is known of a range", () => {
  it.each(SERVERS)("is told %s", async (_how, disable = []) => {
    const { path } = await serve(new HoleyDevice(MIB, 16), { disable });
    const client = await NbdClient.connect({ unix: path }, "", ASKING);
    expect(client.hasBlockStatus).toBe(true);
    expect(await client.blockStatus(4096, 16_384)).toEqual([
      { lengthBytes: 4096, flags: 3 },
      { lengthBytes: 8192, flags: 0 },
      { lengthBytes: 4096, flags: 3 },
    ]);
    await client.write(0, Buffer.alloc(70_000, 7));
    // What the device calls a hole does not travel.
    const read = await client.read(0, 70_000);
    expect([read[0], read[8191], read[8192], read[16_383], read[16_384]]).toEqual([0, 0, 7, 7, 0]);
    await expect(client.blockStatus(MIB, 512)).rejects.toMatchObject({ errno: 22 });
    await expect(client.read(MIB, 512)).rejects.toMatchObject({ errno: 22 });
    expect(await client.read(8192, 512)).toEqual(Buffer.alloc(512, 7));
    await client.close();
  });

  it.each<[string, NbdServerOptions["disable"]]>([
    ["replies in chunks", ["extended-headers", "structured-reply"]],
    ["contexts", ["meta-context"]],
  ])("is not told by a server that knows no %s", async (_what, disable = []) => {
    const { path } = await serve(new HoleyDevice(MIB, 16), { disable });
    const client = await NbdClient.connect({ unix: path }, "", ASKING);
    expect(client.hasBlockStatus).toBe(false);
    await expect(client.blockStatus(0, 512)).rejects.toThrow(RangeError);
    expect(await client.read(8192, 512)).toHaveLength(512);
    await client.close();
  });
});

describe("extents that cannot be", () => {
  const chunk = (request: Buffer, type: number, body: Buffer): Buffer =>
    Buffer.concat([
      u32(0x668e33ef),
      u16(1),
      u16(type),
      request.subarray(8, 16),
      u32(body.length),
      body,
    ]);
  const wide = (request: Buffer, type: number, body: Buffer): Buffer =>
    Buffer.concat([
      u32(0x6e8a278c),
      u16(1),
      u16(type),
      request.subarray(8, 24),
      u64(body.length),
      body,
    ]);
  const simple = (request: Buffer): Buffer =>
    Buffer.concat([u32(0x67446698), u32(0), request.subarray(8, 16)]);

  it.each<[string, (request: Buffer) => Buffer, RegExp]>([
    ["none", (request) => chunk(request, 0, Buffer.alloc(0)), /a status without extents/],
    ["none at all", simple, /should come in chunks/],
    ["half of one", (request) => chunk(request, 5, Buffer.alloc(8)), /extents in 8 bytes/],
    [
      "of another context",
      (request) => chunk(request, 5, Buffer.concat([u32(7), u32(512), u32(0)])),
      /extents of another context/,
    ],
    [
      "of no length",
      (request) => chunk(request, 5, Buffer.concat([u32(42), u32(0), u32(0)])),
      /an extent of no bytes/,
    ],
    [
      "wide ones in narrow chunks",
      (request) => chunk(request, 6, Buffer.alloc(24)),
      /an odd chunk/,
    ],
  ])("(%s) end the connection", async (_what, reply, message) => {
    const path = await scripted({ contextId: 42, dialect: "structured", reply });
    const client = await NbdClient.connect({ unix: path }, "", ASKING);
    await expect(client.blockStatus(0, 512)).rejects.toThrow(message);
    await expect(client.read(0, 512)).rejects.toThrow();
  });

  it("(fewer than they say they are) end the connection; those that count none do not", async () => {
    let count = 0;
    const reply = (request: Buffer): Buffer =>
      wide(request, 6, Buffer.concat([u32(42), u32(count), u64(512), u64(2n ** 40n + 3n)]));
    const path = await scripted({ contextId: 42, dialect: "extended", reply });
    const client = await NbdClient.connect({ unix: path }, "", ASKING);
    expect(await client.blockStatus(0, 512)).toEqual([{ lengthBytes: 512, flags: 3 }]);
    count = 2;
    await expect(client.blockStatus(0, 512)).rejects.toThrow(/more or fewer extents/);
  });
});
