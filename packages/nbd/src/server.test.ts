import { chmod, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BlockDevice } from "@blkstack/block";
import { GFP_NOWAIT, Memory } from "@blkstack/memory";
import { EventLoopScheduler } from "@blkstack/task/node";
import fc from "fast-check";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { ArrayDevice, straight } from "../test/array-device.ts";
import { option, query, request, u32 } from "../test/raw-client.ts";
import { MIB, serve } from "../test/serve.ts";
import { NbdClient, NbdServer } from "./index.ts";

const READ = 0;
const WRITE = 1;

/** Negotiation, and two reads, in one piece. */
const CONVERSATION = Buffer.concat([
  u32(3),
  option(3),
  option(6, query("disk", [1, 3])),
  option(7, query("disk", [3])),
  request({ command: READ, cookie: 1n, length: 512 }),
  request({ command: READ, cookie: 2n, offset: 100, length: 700 }),
]);

describe("the server", () => {
  it("tells whoever cuts bios of the devices that it serves before their first bio", async () => {
    const told: string[] = [];
    const submitter = { ...straight, addDevice: ({ name }: BlockDevice) => void told.push(name) };
    const { device } = await serve(undefined, { submitter });
    expect(told).toEqual([device.name]);
  });

  it("lives on when clients cut the conversation after any byte (N21)", async () => {
    const served = await serve();
    for (let cut = 0; cut <= CONVERSATION.length; cut += 1) {
      const client = served.connect();
      client.send(CONVERSATION.subarray(0, cut));
      client.halfClose();
      await client.takeAll();
      client.vanish();
    }
    await vi.waitFor(() => {
      expect(served.server.counters).toEqual({
        halfOpen: 0,
        connections: 0,
        pagesInUse: 0,
        replyBytes: 0,
      });
    });
  });

  it("serves one byte per segment, and everything in one (N22, N23)", async () => {
    const served = await serve();
    const whole = served.connect();
    whole.send(CONVERSATION);
    whole.halfClose();
    const expected = await whole.takeAll();
    const slow = served.connect();
    for (const byte of CONVERSATION) {
      slow.send(Buffer.from([byte]));
      await new Promise(setImmediate);
    }
    slow.halfClose();
    expect((await slow.takeAll()).equals(expected)).toBe(true);
  });

  it("serves also where a socket cannot receive into buffers of ours", async () => {
    vi.stubGlobal("process", { ...process, platform: "win32" });
    onTestFinished(() => {
      vi.unstubAllGlobals();
    });
    const served = await serve(new ArrayDevice(4 * MIB));
    const client = await NbdClient.connect({ unix: served.path });
    const data = Buffer.alloc(3 * MIB, "0123456789");
    await Promise.all([client.write(5, data), client.flush()]);
    expect(Buffer.compare(await client.read(5, data.length), data)).toBe(0);
    await client.close();
  });

  it("serves a client at once that comes after 1000 who only connected (N24)", async () => {
    const served = await serve();
    for (let n = 0; n < 1000; n += 1) served.connect();
    expect(served.server.clientCount("disk")).toBe(0);
    const client = await NbdClient.connect({ unix: served.path });
    expect(await client.read(0, 512)).toHaveLength(512);
    expect(served.server.counters.halfOpen).toBeLessThanOrEqual(256);
    // The device was used by who chose it, and by nobody else.
    expect(served.server.clientCount("disk")).toBe(1);
    expect(served.device.seen).toHaveLength(1);
    await client.close();
  });

  it("serves its first client when others have all the memory, and gives back its own at the end", async () => {
    const scheduler = new EventLoopScheduler();
    const memory = new Memory({ scheduler, pages: { totalPages: 1000, minPages: 0 } });
    const served = await serve(new ArrayDevice(MIB), {
      scheduler,
      memory,
      limits: () => {
        // The reserves are there by now: one page is left for payload.
        memory.tryTakePages(memory.freePages - 1, GFP_NOWAIT, "others");
        return {};
      },
    });
    const client = await NbdClient.connect({ unix: served.path });
    expect(await client.read(0, 512)).toHaveLength(512);
    await client.close();
    const ownPages = 16 * 3.5;
    const before = memory.freePages;
    await served.server.close();
    expect(memory.freePages).toBeGreaterThanOrEqual(before + ownPages);
    expect(memory.reserves.size).toBe(0);
  });

  it("closes a client that does not choose in time (N25)", async () => {
    const served = await serve(new ArrayDevice(MIB), { limits: { handshakeMs: 30 } });
    const patient = await NbdClient.connect({ unix: served.path });
    const slow = served.connect();
    await slow.greet();
    expect(await slow.takeAll()).toHaveLength(0);
    expect(await patient.read(0, 512)).toHaveLength(512);
    await patient.close();
  });

  it("turns clients away beyond its limit of connections", async () => {
    const served = await serve(new ArrayDevice(MIB), { limits: { connectionsMax: 1 } });
    const first = await NbdClient.connect({ unix: served.path });
    await expect(NbdClient.connect({ unix: served.path })).rejects.toThrow();
    await first.close();
    await vi.waitFor(() => {
      expect(served.server.counters.connections).toBe(0);
    });
    const second = await NbdClient.connect({ unix: served.path });
    await second.close();
  });

  it("gives everything back when clients vanish with requests in flight (T24)", async () => {
    const served = await serve(new ArrayDevice(4 * MIB));
    const { device, server } = served;
    const scenario = fc.record({
      reads: fc.nat(32),
      cut: fc.nat(4096),
      isHolding: fc.boolean(),
      isLate: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(scenario, async ({ reads, cut, isHolding, isLate }) => {
        device.isHolding = isHolding;
        device.isLate = isLate;
        const client = served.connect();
        await client.go();
        for (let n = 0; n < reads; n += 1) client.send(request({ command: READ, length: MIB }));
        client.send(request({ command: WRITE, offset: 1, length: 4096 }), Buffer.alloc(cut));
        await new Promise(setImmediate);
        client.vanish();
        await new Promise(setImmediate);
        device.letGo();
        await vi.waitFor(() => {
          expect(server.counters).toEqual({
            halfOpen: 0,
            connections: 0,
            pagesInUse: 0,
            replyBytes: 0,
          });
        });
      }),
      { numRuns: 30 },
    );
    const client = await NbdClient.connect({ unix: served.path });
    expect(await client.read(0, 512)).toHaveLength(512);
    await client.close();
  });

  it("holds no more for a client that does not read than its limits say", async () => {
    const limits = { bytesInFlightMax: 2 * MIB, requestsInFlightMax: 16 };
    const served = await serve(new ArrayDevice(4 * MIB), { limits });
    const client = served.connect();
    await client.go();
    client.stopReading();
    const count = 400;
    for (let n = 0; n < count; n += 1) {
      client.send(request({ command: READ, cookie: BigInt(n), length: 128 * 1024 }));
    }
    let most = 0;
    for (let n = 0; n < 50; n += 1) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      most = Math.max(most, served.server.counters.pagesInUse);
    }
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual((2 * MIB) / 4096);
    expect(served.device.seen.length).toBeLessThan(100);
    client.resumeReading();
    for (let n = 0; n < count; n += 1) await client.take(16 + 128 * 1024);
    expect(served.server.counters.pagesInUse).toBe(0);
  });

  it("stops reading writes that the device does not take, and takes them all in the end", async () => {
    const limits = { bytesInFlightMax: MIB, serverBytesMax: 2 * MIB, requestBytesMax: MIB };
    const served = await serve(new ArrayDevice(4 * MIB), { limits });
    served.device.isHolding = true;
    const clients = await Promise.all(
      [1, 2, 3].map(() => NbdClient.connect({ unix: served.path })),
    );
    const writes = clients.flatMap((client, index) =>
      Array.from({ length: 40 }, (_, n) =>
        client.write((index * 40 + n) * 32_768, Buffer.alloc(32_768, index * 40 + n + 1)),
      ),
    );
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(served.server.counters.pagesInUse).toBeLessThanOrEqual((2 * MIB) / 4096);
    served.device.letGo();
    await Promise.all(writes);
    for (let n = 0; n < 120; n += 1) expect(served.device.bytes[n * 32_768 + 32_767]).toBe(n + 1);
    await Promise.all(clients.map((client) => client.close()));
  });

  it("answers what is in flight before it closes", async () => {
    const served = await serve();
    served.device.isHolding = true;
    const client = await NbdClient.connect({ unix: served.path });
    const reads = Array.from({ length: 64 }, (_, n) => client.read(n * 512, 512));
    await vi.waitFor(() => {
      expect(served.device.held).toHaveLength(64);
    });
    const closed = served.server.close();
    served.device.letGo();
    expect(await Promise.all(reads)).toHaveLength(64);
    await closed;
    await expect(client.flush()).rejects.toMatchObject({ code: "NBD_CLOSED" });
  });

  it("closes within its time, whatever the device does, and whoever is half open (Z01)", async () => {
    const served = await serve(new ArrayDevice(MIB), { limits: { closeMs: 20 } });
    served.device.isHolding = true;
    const client = await NbdClient.connect({ unix: served.path });
    served.connect();
    const read = client.read(0, 512);
    await vi.waitFor(() => {
      expect(served.device.held).toHaveLength(1);
    });
    const outcome = expect(read).rejects.toMatchObject({ code: "NBD_CLOSED" });
    await served.server.close();
    await outcome;
    served.device.letGo();
    expect(served.server.counters.pagesInUse).toBe(0);
  });

  it("offers an export from one moment on, and up to another when nobody uses it", async () => {
    const { server, path } = await serve();
    const device = new ArrayDevice(MIB);
    const perform = removing(server);
    server.addExport({ name: "late", device });
    const client = await NbdClient.connect({ unix: path }, "late");
    expect(server.clientCount("late")).toBe(1);
    await expect(perform("late")).rejects.toMatchObject({ errno: "EBUSY" });
    await client.write(0, Buffer.alloc(512, 7));
    await client.close();
    await vi.waitFor(() => perform("late"));
    await expect(NbdClient.connect({ unix: path }, "late")).rejects.toThrow();
    await expect(perform("late")).rejects.toMatchObject({ errno: "ENOENT" });
    expect(device.bytes[0]).toBe(7);
  });

  it("removes an export by force when the device is done with what its clients have asked", async () => {
    const { server, path } = await serve();
    const device = new ArrayDevice(MIB);
    server.addExport({ name: "late", device });
    const client = await NbdClient.connect({ unix: path }, "late");
    device.isHolding = true;
    const read = expect(client.read(0, 512)).rejects.toMatchObject({ code: "NBD_CLOSED" });
    await vi.waitFor(() => {
      expect(device.held).toHaveLength(1);
    });
    let isRemoved = false;
    const removed = removing(server)("late", true).then(() => (isRemoved = true));
    await read;
    expect(isRemoved).toBe(false);
    await expect(NbdClient.connect({ unix: path }, "late")).rejects.toThrow();
    device.letGo();
    await removed;
    server.addExport({ name: "late", device });
    const again = await NbdClient.connect({ unix: path }, "late");
    expect(await again.read(0, 1)).toHaveLength(1);
    await again.close();
  });

  it("refuses exports that cannot be told apart, and limits that serve nobody", () => {
    const scheduler = new EventLoopScheduler();
    const memory = new Memory({ scheduler });
    const device = new ArrayDevice(MIB);
    const base = { scheduler, memory, submitter: straight };
    const twice = [
      { name: "a", device },
      { name: "a", device },
    ];
    expect(() => new NbdServer({ ...base, exports: twice })).toThrow(/"a" is there twice/);
    const long = [{ name: "n".repeat(4097), device }];
    expect(() => new NbdServer({ ...base, exports: long })).toThrow(/longer than 4096/);
    for (const limits of [{ closeMs: 0 }, { requestBytesMax: 512 }, { serverBytesMax: 512 }]) {
      expect(() => new NbdServer({ ...base, exports: [], limits })).toThrow(/limit/);
    }
  });
});

describe("listening", () => {
  it("makes a socket for its owner alone, and removes it on close", async () => {
    const served = await serve();
    expect((await stat(served.path)).mode & 0o777).toBe(0o600);
    await served.server.close();
    await expect(stat(served.path)).rejects.toThrow(/ENOENT/);
  });

  it("refuses a path that a server listens on, or that is no socket; replaces a dead one", async () => {
    const served = await serve();
    const folder = await mkdtemp(join(tmpdir(), "nbd-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    await expect(served.server.listen({ unix: served.path })).rejects.toThrow(/another server/);
    const file = join(folder, "file");
    await writeFile(file, "precious");
    await expect(served.server.listen({ unix: file })).rejects.toThrow(/is no socket/);
    const long = join(folder, "n".repeat(100));
    await expect(served.server.listen({ unix: long })).rejects.toThrow(/at most 107 bytes/);
    const dead = await leaveDeadSocket(folder);
    await served.server.listen({ unix: dead });
    expect(await NbdClient.list({ unix: dead })).toHaveLength(1);
  });

  it("tells the address of a TCP socket, which is the loopback's", async () => {
    const served = await serve();
    const { uri, port } = await served.server.listen({ port: 0 });
    expect(uri).toBe(`nbd://127.0.0.1:${String(port)}/`);
    const client = await NbdClient.connect({ host: "127.0.0.1", port: port ?? 0 }, "disk");
    await expect(served.server.listen({ port: port ?? 0 })).rejects.toMatchObject({
      code: "BLK_DEVICE",
      errno: "EBUSY",
    });
    await client.write(3, Buffer.from("over TCP"));
    expect(Buffer.from(await client.read(3, 8)).toString()).toBe("over TCP");
    await client.close();
  });
});

/** A socket that nobody listens to any more: moved away, so that its server cannot remove it. */
async function leaveDeadSocket(folder: string): Promise<string> {
  const { rename } = await import("node:fs/promises");
  const server = createServer();
  server.listen(join(folder, "alive"));
  await once(server, "listening");
  const dead = join(folder, "dead");
  await rename(join(folder, "alive"), dead);
  server.close();
  await once(server, "close");
  await chmod(dead, 0o600);
  return dead;
}

/** Removes exports of a server, each in a task of its own. */
function removing(server: NbdServer): (name: string, force?: boolean) => Promise<void> {
  const scheduler = new EventLoopScheduler();
  return (name, force = false) =>
    new Promise((resolve, reject) => {
      scheduler.spawn(`remove ${name}`, (task) =>
        server.removeExport(name, task, { force }).then(resolve, reject),
      );
    });
}
