import { BioFlag, BioOp, BioStatus } from "@blkstack/bio";
import { describe, expect, it } from "vitest";
import { ArrayDevice } from "../test/array-device.ts";
import { type RawClient, request } from "../test/raw-client.ts";
import { MIB, serve } from "../test/serve.ts";

const READ = 0;
const WRITE = 1;
const DISC = 2;
const FLUSH = 3;
const TRIM = 4;
const WRITE_ZEROES = 6;

/** A fresh client that has chosen the default export. */
async function connected(served: { connect(): RawClient }): Promise<RawClient> {
  const client = served.connect();
  await client.go();
  return client;
}

/** Sends a request, perhaps with payload, and answers the error it is answered with. */
async function ask(
  client: RawClient,
  fields: Parameters<typeof request>[0],
  payload: Uint8Array = Buffer.alloc(0),
): Promise<number> {
  client.send(request(fields), payload);
  return (await client.reply()).error;
}

describe("the transmission", () => {
  it("reads back what was written, whichever connection asks", async () => {
    const served = await serve();
    const writer = await connected(served);
    const reader = await connected(served);
    const data = Buffer.alloc(8192, "abc");
    expect(await ask(writer, { command: WRITE, offset: 4096, length: 8192 }, data)).toBe(0);
    expect(await ask(reader, { command: READ, offset: 4096, length: 8192 })).toBe(0);
    expect(await reader.take(8192)).toEqual(data);
  });

  it("closes a connection whose request has another magic, and no other (T01)", async () => {
    const served = await serve();
    const bad = await connected(served);
    const good = await connected(served);
    bad.send(request({ magic: 0x25609514, command: READ, length: 512 }));
    expect(await bad.takeAll()).toHaveLength(0);
    expect(await ask(good, { command: FLUSH })).toBe(0);
  });

  it.each([
    ["an unknown command (T02)", { command: 77 }, 0, 22],
    ["a flag that nobody knows (T03)", { command: READ, flags: 0x8000, length: 512 }, 0, 22],
    ["a write with an unknown flag (T04)", { command: WRITE, flags: 16, length: 512 }, 512, 22],
    ["a write past the end (T05)", { command: WRITE, offset: MIB - 512, length: 1024 }, 1024, 28],
    [
      "a read that wraps 2^64 (T06)",
      { command: READ, offset: 2n ** 64n - 512n, length: 1024 },
      0,
      22,
    ],
    ["a write that wraps 2^64 (T06)", { command: WRITE, offset: 2n ** 64n - 1n, length: 2 }, 2, 28],
    ["a read beyond 2^53", { command: READ, offset: 2n ** 53n + 512n, length: 512 }, 0, 22],
    ["a read at 2^63", { command: READ, offset: 2n ** 63n, length: 512 }, 0, 22],
    ["a read past the end (T07)", { command: READ, offset: MIB, length: 1 }, 0, 22],
    ["a trim past the end (T08)", { command: TRIM, offset: MIB, length: 512 }, 0, 22],
    ["zeroes past the end (T09)", { command: WRITE_ZEROES, offset: MIB, length: 512 }, 0, 28],
    ["a zero-length read (T10)", { command: READ }, 0, 22],
    ["a zero-length write (T10)", { command: WRITE }, 0, 22],
    ["a zero-length trim (T10)", { command: TRIM, offset: MIB }, 0, 22],
    ["zero-length zeroes (T10)", { command: WRITE_ZEROES }, 0, 22],
    ["FUA on a flush (T22)", { command: FLUSH, flags: 1 }, 0, 0],
    ["FUA on a write (T22)", { command: WRITE, flags: 1, length: 512 }, 512, 0],
    ["FUA on a trim (T22)", { command: TRIM, flags: 1, length: 512 }, 0, 0],
    ["FUA on zeroes (T22)", { command: WRITE_ZEROES, flags: 1, length: 512 }, 0, 0],
    ["a read of 4 GiB - 1", { command: READ, length: 0xffff_ffff }, 0, 22],
  ])("answers %s, and stays in step", async (_what, fields, payloadBytes, error) => {
    const client = await connected(await serve());
    expect(await ask(client, fields, Buffer.alloc(payloadBytes))).toBe(error);
    client.send(request({ command: READ, cookie: 99n, length: 512 }));
    expect(await client.reply()).toEqual({ error: 0, cookie: 99n });
    expect(await client.take(512)).toHaveLength(512);
  });

  it("bears FUA on a read (T22)", async () => {
    const client = await connected(await serve());
    expect(await ask(client, { command: READ, flags: 1, length: 512 })).toBe(0);
    expect(await client.take(512)).toHaveLength(512);
    expect(await ask(client, { command: FLUSH })).toBe(0);
  });

  it("leaves the device alone for requests of length zero", async () => {
    const served = await serve();
    const client = await connected(served);
    for (const command of [READ, WRITE, TRIM, WRITE_ZEROES]) await ask(client, { command });
    expect(served.device.seen).toEqual([]);
  });

  it("refuses every change of a read-only export, payload and all (T26)", async () => {
    const served = await serve(new ArrayDevice(MIB), {}, { isReadOnly: true });
    const client = await connected(served);
    expect(await ask(client, { command: WRITE, length: 4096 }, Buffer.alloc(4096, 1))).toBe(1);
    expect(await ask(client, { command: TRIM, length: 4096 })).toBe(1);
    expect(await ask(client, { command: WRITE_ZEROES, length: 4096 })).toBe(1);
    expect(await ask(client, { command: FLUSH })).toBe(0);
    expect(served.device.bytes.every((byte) => byte === 0)).toBe(true);
  });

  it("serves a read of 32 MiB (T11)", async () => {
    const device = new ArrayDevice(32 * MIB);
    device.bytes.fill(7);
    const client = await connected(await serve(device));
    expect(await ask(client, { command: READ, length: 32 * MIB })).toBe(0);
    expect((await client.take(32 * MIB)).equals(device.bytes)).toBe(true);
  });

  it("serves who goes beyond the 32 MiB that clients are told of, up to 64", async () => {
    const served = await serve(new ArrayDevice(64 * MIB));
    const client = await connected(served);
    const data = Buffer.alloc(64 * MIB - 1, "0123456789");
    expect(await ask(client, { command: WRITE, offset: 1, length: data.length }, data)).toBe(0);
    expect(data.equals(served.device.bytes.subarray(1))).toBe(true);
    expect(await ask(client, { command: READ, length: 64 * MIB })).toBe(0);
    expect((await client.take(64 * MIB)).equals(served.device.bytes)).toBe(true);
    expect(await ask(client, { command: READ, length: 64 * MIB + 1 })).toBe(22);
    client.send(request({ command: WRITE, length: 64 * MIB + 1 }));
    expect(await client.takeAll()).toHaveLength(0);
  });

  it("closes on a write that declares 4 GiB - 1, having allocated nothing for it (T13)", async () => {
    const served = await serve();
    const client = await connected(served);
    client.send(request({ command: WRITE, length: 0xffff_ffff }), Buffer.alloc(MIB));
    await client.takeAll();
    expect(served.server.counters.pagesInUse).toBe(0);
  });

  it("answers 256 pipelined reads, each cookie once (T25)", async () => {
    const device = new ArrayDevice(MIB);
    device.isLate = true;
    const client = await connected(await serve(device));
    for (let n = 0; n < 256; n += 1) {
      device.bytes[n * 512] = n;
      client.send(request({ command: READ, cookie: BigInt(n), offset: n * 512, length: 512 }));
    }
    const cookies = new Set<bigint>();
    for (let n = 0; n < 256; n += 1) {
      const { cookie } = await client.reply();
      expect((await client.take(512))[0]).toBe(Number(cookie));
      cookies.add(cookie);
    }
    expect(cookies.size).toBe(256);
  });

  it("has done 64 writes that were followed by DISC when the client sees the end (T23)", async () => {
    const device = new ArrayDevice(MIB);
    device.isLate = true;
    const client = await connected(await serve(device));
    for (let n = 0; n < 64; n += 1) {
      const fields = { command: WRITE, offset: n * 4096, length: 4096 };
      client.send(request(fields), Buffer.alloc(4096, n + 1));
    }
    client.send(request({ command: DISC }));
    expect(await client.takeAll()).toHaveLength(64 * 16);
    for (let n = 0; n < 64; n += 1) expect(device.bytes[n * 4096 + 4095]).toBe(n + 1);
  });

  it("answers what is in flight when a client half-closes", async () => {
    const device = new ArrayDevice(MIB);
    device.isLate = true;
    const client = await connected(await serve(device));
    client.send(request({ command: READ, length: 1024 }));
    client.halfClose();
    expect(await client.takeAll()).toHaveLength(16 + 1024);
  });

  it.each([
    [BioStatus.IoError, 5],
    [BioStatus.Medium, 5],
    [BioStatus.NoSpace, 28],
    [BioStatus.ReadOnly, 1],
    [BioStatus.Resource, 12],
    [BioStatus.NotSupported, 95],
  ])("tells a bio's status %i as error %i", async (status, error) => {
    const device = new ArrayDevice(MIB);
    device.status = status;
    const client = await connected(await serve(device));
    expect(await ask(client, { command: READ, length: 512 })).toBe(error);
    expect(await ask(client, { command: WRITE, length: 512 }, Buffer.alloc(512))).toBe(error);
  });

  it("carries FUA and flush down to the device", async () => {
    const served = await serve();
    const client = await connected(served);
    await ask(client, { command: WRITE, flags: 1, length: 512 }, Buffer.alloc(512));
    await ask(client, { command: FLUSH });
    await ask(client, { command: WRITE_ZEROES, flags: 3, length: 512 });
    expect(served.device.seen).toEqual([
      { op: BioOp.Write, flags: BioFlag.Fua, sector: 0, sectors: 1 },
      { op: BioOp.Write, flags: BioFlag.Preflush, sector: 0, sectors: 0 },
      { op: BioOp.WriteZeroes, flags: BioFlag.NoUnmap, sector: 0, sectors: 1 },
      { op: BioOp.Write, flags: BioFlag.Preflush, sector: 0, sectors: 0 },
    ]);
  });

  it("waits with the next request while the device makes its submitter wait", async () => {
    const served = await serve();
    let open = (): void => undefined;
    served.device.gate = new Promise((resolve) => {
      open = resolve;
    });
    const client = await connected(served);
    client.send(request({ command: READ, length: 512 }), request({ command: FLUSH, cookie: 2n }));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(served.device.seen).toHaveLength(0);
    served.device.gate = null;
    open();
    expect(await client.reply()).toEqual({ error: 0, cookie: 1n });
    await client.take(512);
    expect(await client.reply()).toEqual({ error: 0, cookie: 2n });
  });
});
