// Clients that hold memory and do not go on, while others wait for it.
import { describe, expect, it, vi } from "vitest";
import { ArrayDevice } from "../test/array-device.ts";
import { type RawClient, request } from "../test/raw-client.ts";
import { MIB, serve, type Served } from "../test/serve.ts";
import { NbdClient } from "./index.ts";
import { Command, ReplyError } from "./wire.ts";

const { Read, Write } = Command;
/** Two of the largest requests; beyond them there is the part of small ones. */
const LIMITS = {
  requestBytesMax: MIB,
  bytesInFlightMax: MIB,
  serverBytesMax: 2 * MIB,
  stallMs: 20,
} as const;

async function connected(served: Pick<Served, "connect">): Promise<RawClient> {
  const client = served.connect();
  await client.go();
  return client;
}

/** Takes all the memory: two clients that begin to write and do not go on. */
async function fillWithWrites(served: Served): Promise<RawClient[]> {
  const writers = [await connected(served), await connected(served)];
  for (const writer of writers)
    writer.send(request({ command: Write, length: MIB }), Buffer.alloc(1));
  await vi.waitFor(() => {
    expect(served.server.counters.pagesInUse).toBe((2 * MIB) / 4096);
  });
  return writers;
}

describe("a client that holds memory and does not go on", () => {
  it("in the middle of a payload is closed when others wait for it", async () => {
    const served = await serve(new ArrayDevice(4 * MIB), { limits: LIMITS });
    const writers = await fillWithWrites(served);
    const other = await NbdClient.connect({ unix: served.path });
    expect(await other.read(0, MIB)).toHaveLength(MIB);
    for (const writer of writers) expect(await writer.takeAll()).toHaveLength(0);
    const closed = served.log.filter(({ message }) => message.includes("holds memory"));
    expect(closed).toHaveLength(2);
    await other.close();
  });

  it("in front of replies that it does not take is closed, too", async () => {
    const served = await serve(new ArrayDevice(4 * MIB), { limits: LIMITS });
    for (let count = 0; count < 2; count += 1) {
      const reader = await connected(served);
      reader.stopReading();
      reader.send(request({ command: Read, length: MIB }), request({ command: Read, length: MIB }));
    }
    await vi.waitFor(() => {
      expect(served.server.counters.pagesInUse).toBe((2 * MIB) / 4096);
    });
    const other = await NbdClient.connect({ unix: served.path });
    expect(await other.read(0, MIB)).toHaveLength(MIB);
    await other.close();
  });

  it("is left alone while there is memory for all", async () => {
    const served = await serve(new ArrayDevice(4 * MIB), { limits: LIMITS });
    const writer = await connected(served);
    writer.send(request({ command: Write, length: MIB }), Buffer.alloc(1, 7));
    const other = await NbdClient.connect({ unix: served.path });
    for (let count = 0; count < 10; count += 1) {
      await other.read(0, MIB);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    writer.send(Buffer.alloc(MIB - 1, 7));
    expect((await writer.reply()).error).toBe(ReplyError.Ok);
    await other.close();
  });

  it("because its device works is not closed", async () => {
    const served = await serve(new ArrayDevice(4 * MIB), { limits: LIMITS });
    const clients = [await connected(served), await connected(served)];
    served.device.isHolding = true;
    for (const client of clients) client.send(request({ command: Read, length: MIB }));
    await vi.waitFor(() => {
      expect(served.device.held).toHaveLength(2);
    });
    const third = await connected(served);
    third.send(request({ command: Read, length: MIB }));
    await new Promise((resolve) => setTimeout(resolve, 200));
    served.device.letGo();
    for (const client of [...clients, third]) {
      expect((await client.reply()).error).toBe(ReplyError.Ok);
      await client.take(MIB);
    }
  });
});

describe("a request that is not large", () => {
  it.each([
    ["64 KiB", 64 * 1024],
    ["1 MiB", MIB],
  ])("has memory of its own when large ones have all the rest (%s)", async (_size, length) => {
    const limits = {
      requestBytesMax: 8 * MIB,
      bytesInFlightMax: 8 * MIB,
      serverBytesMax: 20 * MIB,
      stallMs: 1_000_000,
    };
    const served = await serve(new ArrayDevice(8 * MIB), { limits });
    for (let count = 0; count < 5; count += 1) {
      const writer = await connected(served);
      writer.send(request({ command: Write, length: 8 * MIB }), Buffer.alloc(1));
    }
    await vi.waitFor(() => {
      expect(served.server.counters.pagesInUse).toBe((2 * 8 * MIB) / 4096);
    });
    const other = await NbdClient.connect({ unix: served.path });
    await other.write(512, Buffer.alloc(length, 5));
    expect((await other.read(512, length))[length - 1]).toBe(5);
    await other.close();
  });
});
