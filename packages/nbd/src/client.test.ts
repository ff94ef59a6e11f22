import { createServer, type Socket } from "node:net";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { type Bio, BioStatus } from "@blkstack/bio";
import type { Awaitable, Task } from "@blkstack/task";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { ArrayDevice } from "../test/array-device.ts";
import { MIB, serve } from "../test/serve.ts";
import { NbdClient, NbdError } from "./index.ts";

const SIZE = 64 * 1024;

type Step =
  | { readonly kind: "write"; readonly at: number; readonly length: number; readonly fill: number }
  | { readonly kind: "zero"; readonly at: number; readonly length: number; readonly fua: boolean }
  | { readonly kind: "read"; readonly at: number; readonly length: number };

const range = fc
  .tuple(fc.nat(SIZE), fc.oneof(fc.nat(20), fc.nat(2000), fc.nat(SIZE)))
  .map(([at, length]) => ({ at, length: Math.min(length, SIZE - at) }));
const step: fc.Arbitrary<Step> = fc.oneof(
  fc
    .tuple(range, fc.integer({ min: 1, max: 255 }))
    .map(([where, fill]) => ({ kind: "write" as const, fill, ...where })),
  fc.tuple(range, fc.boolean()).map(([where, fua]) => ({ kind: "zero" as const, fua, ...where })),
  range.map((where) => ({ kind: "read" as const, ...where })),
);

async function play(client: NbdClient, model: Uint8Array, steps: readonly Step[]): Promise<void> {
  for (const { at, length, ...what } of steps) {
    if (what.kind === "write") {
      await client.write(at, Buffer.alloc(length, what.fill));
      model.fill(what.fill, at, at + length);
    } else if (what.kind === "zero") {
      await client.writeZeroes(at, length, { fua: what.fua });
      model.fill(0, at, at + length);
    } else {
      expect(Buffer.compare(await client.read(at, length), model.subarray(at, at + length))).toBe(
        0,
      );
    }
  }
}

describe("client and server", () => {
  it.each([
    ["ends bios at once", { logicalBlockBytes: 512 }, false],
    ["ends bios late", { logicalBlockBytes: 512 }, true],
    [
      "has blocks of 4096 bytes",
      { logicalBlockBytes: 4096, physicalBlockBytes: 4096, ioMinBytes: 4096 },
      true,
    ],
    ["cannot write zeroes by itself", { maxWriteZeroesSectors: 0 }, true],
  ])("agree with an array of bytes on a device that %s", async (_what, limits, isLate) => {
    const device = new ArrayDevice(SIZE, limits);
    device.isLate = isLate;
    const { path, server } = await serve(device);
    const client = await NbdClient.connect({ unix: path });
    const model = new Uint8Array(SIZE);
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        await play(client, model, steps);
        expect(Buffer.compare(device.bytes, model)).toBe(0);
      }),
      { numRuns: 40 },
    );
    await client.close();
    expect(server.counters.pagesInUse).toBe(0);
  });

  it("lose no byte of neighbours that share a block, written at the same time", async () => {
    const device = new ArrayDevice(SIZE);
    device.isLate = true;
    const { path } = await serve(device);
    const clients = await Promise.all([1, 2, 3].map(() => NbdClient.connect({ unix: path })));
    const lengths = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 5, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(lengths, async (pieces) => {
        const model = new Uint8Array(SIZE);
        await clients[0]?.writeZeroes(0, SIZE);
        let at = 0;
        const writes = pieces.map(async (length, index) => {
          const data = Buffer.alloc(length, index + 1);
          model.set(data, at);
          at += length;
          await clients[index % 3]?.write(at - length, data);
        });
        await Promise.all(writes);
        expect(Buffer.compare(device.bytes, model)).toBe(0);
      }),
      { numRuns: 30 },
    );
    await Promise.all(clients.map((client) => client.close()));
  });

  it("write whole zero blocks and read around the rest, however the device can", async () => {
    const device = new ArrayDevice(4 * MIB, { maxWriteZeroesSectors: 0 });
    const { path } = await serve(device);
    const client = await NbdClient.connect({ unix: path });
    device.bytes.fill(9);
    await client.writeZeroes(700, 3 * MIB);
    expect(device.bytes.indexOf(0)).toBe(700);
    expect(device.bytes.lastIndexOf(0)).toBe(700 + 3 * MIB - 1);
    await client.close();
  });

  it("fall back to writing when a device refuses the zeroes that its limits promise", async () => {
    const device = new ArrayDevice(SIZE);
    device.refusesZeroes = true;
    const { path } = await serve(device);
    const client = await NbdClient.connect({ unix: path });
    device.bytes.fill(9);
    await client.writeZeroes(1024, 2048);
    expect(device.bytes.indexOf(0)).toBe(1024);
    expect(device.bytes.indexOf(9, 1024)).toBe(1024 + 2048);
    await client.close();
  });

  it("give up only whole blocks in a trim", async () => {
    const { path, device } = await serve(new ArrayDevice(SIZE));
    const client = await NbdClient.connect({ unix: path });
    await client.trim(100, 1500);
    await client.trim(100, 100);
    expect(device.bytes.indexOf(0xdd)).toBe(512);
    expect(device.bytes.lastIndexOf(0xdd)).toBe(1535);
    await client.close();
  });
});

describe("the client", () => {
  it("lists exports with their descriptions", async () => {
    const { path } = await serve(new ArrayDevice(SIZE), {}, { description: "all there is" });
    expect(await NbdClient.list({ unix: path })).toEqual([
      { name: "disk", description: "all there is" },
    ]);
  });

  it("is refused an export that is not there, with the server's words", async () => {
    const { path } = await serve();
    const refused = NbdClient.connect({ unix: path }, "nobody");
    await expect(refused).rejects.toMatchObject({ code: "NBD_REFUSED" });
    await expect(refused).rejects.toThrow(/no export is called "nobody"/);
  });

  it("throws the server's error with its number, and lives on", async () => {
    const device = new ArrayDevice(SIZE);
    device.status = BioStatus.NoSpace;
    const { path } = await serve(device);
    const client = await NbdClient.connect({ unix: path });
    await expect(client.write(0, new Uint8Array(512))).rejects.toMatchObject({ errno: 28 });
    device.status = BioStatus.Ok;
    expect(await client.read(0, 512)).toHaveLength(512);
    await client.close();
    await expect(client.flush()).rejects.toMatchObject({ code: "NBD_CLOSED" });
  });

  it("tells of every request by itself, when each third of many at a time fails", async () => {
    class Failing extends ArrayDevice {
      override submitBio(bio: Bio, task: Task): Awaitable<void> {
        this.status = (bio.sector / 8) % 3 === 2 ? BioStatus.IoError : BioStatus.Ok;
        return super.submitBio(bio, task);
      }
    }
    const { path } = await serve(new Failing(SIZE));
    const client = await NbdClient.connect({ unix: path });
    for (const ask of [
      (n: number) => client.read(n * 4096, 4096),
      (n: number) => client.write(n * 4096, new Uint8Array(4096)),
    ]) {
      const outcomes = await Promise.allSettled(Array.from({ length: 16 }, (_, n) => ask(n)));
      const failed = outcomes.map(({ status }) => status === "rejected");
      expect(failed).toEqual(Array.from({ length: 16 }, (_, n) => n % 3 === 2));
      for (const outcome of outcomes) {
        if (outcome.status === "rejected") expect(outcome.reason).toMatchObject({ errno: 5 });
      }
    }
    await client.close();
  });

  it("ends everything when the server closes after any byte of a conversation", async () => {
    const { path } = await serve();
    const whole = await record(path);
    for (let cut = 0; cut < whole.length; cut += 1) {
      const server = await speak(whole.subarray(0, cut));
      const outcome = NbdClient.connect({ unix: server }).then((client) => client.read(0, 64));
      await expect(outcome).rejects.toBeInstanceOf(NbdError);
    }
  });

  it("bears any bytes from a server", async () => {
    const { path } = await serve();
    const whole = await record(path);
    const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
        const bytes = Buffer.from(whole);
        for (const [at, byte] of changes) bytes[at] = byte;
        const server = await speak(bytes);
        const outcome = NbdClient.connect({ unix: server })
          .then((client) => client.read(0, 64))
          .catch((error: unknown) => error);
        const result = await outcome;
        expect(result instanceof NbdError || result instanceof Uint8Array).toBe(true);
      }),
      { numRuns: 60 },
    );
  });
});

/** What our server says to a client that connects and reads 64 bytes. */
async function record(path: string): Promise<Buffer> {
  const { RawClient, option, query, request } = await import("../test/raw-client.ts");
  const client = new RawClient(path);
  const pieces = [await client.greet()];
  client.send(option(7, query("")), request({ command: 0, length: 64 }));
  pieces.push(await client.take(20 + 12 + 20 + 16 + 64));
  client.vanish();
  return Buffer.concat(pieces);
}

/** A server that says `bytes` whatever it hears, then closes; answers its path. */
async function speak(bytes: Buffer): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "nbd-"));
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    socket.resume();
    socket.end(bytes);
  });
  const path = join(folder, "socket");
  server.listen(path);
  await once(server, "listening");
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await rm(folder, { recursive: true });
  });
  return path;
}
