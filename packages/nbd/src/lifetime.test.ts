import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { once } from "node:events";
import { SECTOR_BYTES } from "@blkstack/bio";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { ArrayDevice } from "../test/array-device.ts";
import { option, query, type RawClient, request } from "../test/raw-client.ts";
import { MIB, serve } from "../test/serve.ts";
import { NbdClient } from "./index.ts";
import { Command, Option, OptionReply, ReplyError } from "./wire.ts";

const { Read, Write, Flush } = Command;

async function connected(served: { connect(): RawClient }): Promise<RawClient> {
  const client = served.connect();
  await client.go();
  return client;
}

/** Whether the system has a timer of TCP's on the connection: 2 is that of keep-alives. */
function timerOf(localPort: number, remotePort: number): number {
  const port = (number: number): string => number.toString(16).toUpperCase().padStart(4, "0");
  const lines = readFileSync("/proc/net/tcp", "utf8").split("\n");
  const ours = lines.find((line) => {
    const [, local = "", remote = ""] = line.trim().split(/\s+/);
    return local.endsWith(`:${port(localPort)}`) && remote.endsWith(`:${port(remotePort)}`);
  });
  return Number(ours?.trim().split(/\s+/)[5]?.split(":")[0]);
}

async function overTcp(port: number): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port });
  socket.on("error", () => undefined);
  onTestFinished(() => {
    socket.destroy();
  });
  await once(socket, "connect");
  return socket;
}

describe("an idle client", () => {
  it("is kept for ever unless told otherwise, and TCP asks whether it is still there", async () => {
    const { server } = await serve();
    const { port } = await server.listen({ port: 0 });
    const client = await overTcp(port ?? 0);
    await once(client, "data");
    expect(timerOf(port ?? 0, client.localPort ?? 0)).toBe(2);
  });

  it("is closed when it neither says nor waits for anything; one that talks is not", async () => {
    const served = await serve(new ArrayDevice(MIB), { limits: { idleMs: 150 } });
    const silent = await connected(served);
    const talker = await NbdClient.connect({ unix: served.path });
    const closed = silent.takeAll().then(() => null);
    let data: Uint8Array | null;
    do data = await Promise.race([closed, talker.read(0, 512)]);
    while (data !== null);
    expect(await talker.read(0, 512)).toHaveLength(512);
    await talker.close();
  });

  it("is not idle while the device works for it", async () => {
    const served = await serve(new ArrayDevice(MIB), { limits: { idleMs: 20 } });
    served.device.isHolding = true;
    const client = served.connect();
    await client.greet();
    // Together, so that there is no moment at which it is idle, however busy the machine is.
    client.send(option(Option.Go, query("")), request({ command: Flush }));
    while ((await client.optionReply()).type !== OptionReply.Ack);
    await new Promise((resolve) => setTimeout(resolve, 100));
    served.device.letGo();
    expect((await client.reply()).error).toBe(ReplyError.Ok);
    expect(await client.takeAll()).toHaveLength(0);
  });

  it("is idle, too, when it stops in the middle of a payload or of its replies", async () => {
    const served = await serve(new ArrayDevice(4 * MIB), { limits: { idleMs: 60 } });
    const writer = await connected(served);
    writer.send(request({ command: Write, length: 4096 }), Buffer.alloc(100));
    expect(await writer.takeAll()).toHaveLength(0);
    const reader = await connected(served);
    reader.stopReading();
    for (let n = 0; n < 8; n += 1) reader.send(request({ command: Read, length: 4 * MIB }));
    await vi.waitFor(() => {
      expect(served.log.map(({ message }) => message)).toContain('uses export "disk"');
      expect(served.server.counters).toEqual({
        halfOpen: 0,
        connections: 0,
        pagesInUse: 0,
        replyBytes: 0,
      });
    });
  });
});

describe("half-open clients", () => {
  it("of one address push out one another, and nobody else", async () => {
    const served = await serve(new ArrayDevice(MIB), { limits: { halfOpenPerPeerMax: 3 } });
    const { port } = await served.server.listen({ port: 0 });
    const local = served.connect();
    await local.greet();
    const first = await overTcp(port ?? 0);
    await once(first, "data");
    const firstClosed = once(first, "close");
    for (let n = 0; n < 3; n += 1) await once(await overTcp(port ?? 0), "data");
    await firstClosed;
    expect(served.server.counters.halfOpen).toBe(4);
    const client = await NbdClient.connect({ host: "127.0.0.1", port: port ?? 0 });
    expect(await client.read(0, 512)).toHaveLength(512);
    await client.close();
    local.send(Buffer.from("IHAVEOPT\0\0\0\x03\0\0\0\0", "latin1"));
    expect((await local.optionReply()).type).toBe(2);
  });
});

describe("a server that stops", () => {
  it.each(["unix", "tcp"])(
    "answers 64 requests in flight, and later ones with ESHUTDOWN (%s)",
    async (kind) => {
      const device = new ArrayDevice(MIB);
      const served = await serve(device);
      const { port } = await served.server.listen({ port: 0 });
      const isTcp = kind === "tcp";
      const address = isTcp ? { host: "127.0.0.1", port: port ?? 0 } : { unix: served.path };
      const client = await NbdClient.connect(address);
      device.isHolding = true;
      const data = (n: number): Buffer => Buffer.alloc(4096, n + 1);
      const writes = Array.from({ length: 64 }, (_, n) => client.write(n * 4096, data(n)));
      await vi.waitFor(() => {
        expect(device.held).toHaveLength(64);
      });
      const closed = served.server.close();
      const late = [client.write(0, Buffer.alloc(MIB)), client.read(0, 512), client.flush()];
      for (const each of late) await expect(each).rejects.toMatchObject({ errno: 108 });
      device.letGo();
      await Promise.all(writes);
      for (let n = 0; n < 64; n += 1) expect(device.bytes[n * 4096 + 4095]).toBe(n + 1);
      await expect(client.flush()).rejects.toMatchObject({ code: "NBD_CLOSED" });
      await closed;
    },
  );

  it("takes the rest of a payload that was on its way", async () => {
    const served = await serve();
    const client = await connected(served);
    client.send(request({ command: Write, length: 4096 }), Buffer.alloc(1000, 7));
    await vi.waitFor(() => {
      expect(served.server.counters.pagesInUse).toBe(1);
    });
    const closed = served.server.close();
    client.send(Buffer.alloc(3096, 7));
    expect(await client.reply()).toEqual({ error: ReplyError.Ok, cookie: 1n });
    expect(served.device.bytes[4095]).toBe(7);
    await client.takeAll();
    client.vanish();
    await closed;
  });

  it("is not kept by one that goes on asking, nor by one that says no goodbye", async () => {
    const device = new ArrayDevice(MIB);
    const served = await serve(device, { limits: { closeMs: 60_000 } });
    const client = await connected(served);
    device.isHolding = true;
    client.send(request({ command: Flush, cookie: 7n }));
    await vi.waitFor(() => {
      expect(device.held).toHaveLength(1);
    });
    const closed = served.server.close().then(() => true);
    const flood = request({ command: Write, cookie: 8n, length: 512 });
    for (let n = 0; n < 50; n += 1) client.send(flood, Buffer.alloc(512));
    expect(await client.reply()).toEqual({ error: ReplyError.Shutdown, cookie: 8n });
    device.letGo();
    const nextTurn = (): Promise<boolean> =>
      new Promise((resolve) => {
        setImmediate(resolve, false);
      });
    do client.send(flood, Buffer.alloc(512));
    while (!(await Promise.race([closed, nextTurn()])));
    const rest = await client.takeAll();
    expect(rest.includes(Buffer.from("0000000000000007", "hex"))).toBe(true);
    expect(device.bytes.every((byte) => byte === 0)).toBe(true);
  });

  it("closes half-open and idle clients at once", async () => {
    const served = await serve(new ArrayDevice(MIB), { limits: { closeMs: 60_000 } });
    const half = served.connect();
    await half.greet();
    const idle = await connected(served);
    await served.server.close();
    expect(await half.takeAll()).toHaveLength(0);
    expect(await idle.takeAll()).toHaveLength(0);
  });

  it("closes after closeMs what the device does not let go", async () => {
    const served = await serve(new ArrayDevice(MIB), { limits: { closeMs: 40 } });
    const client = await connected(served);
    served.device.isHolding = true;
    client.send(request({ command: Read, length: SECTOR_BYTES }));
    await vi.waitFor(() => {
      expect(served.device.held).toHaveLength(1);
    });
    await served.server.close();
    expect(await client.takeAll()).toHaveLength(0);
  });
});
