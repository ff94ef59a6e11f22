import { dataOf, ended } from "@blkstack/block/testing";
import { BioFlag, BioOp, BioStatus } from "@blkstack/bio";
import { EventLoopScheduler } from "@blkstack/task/node";
import { describe, expect, it, onTestFinished } from "vitest";
import { ArrayDevice } from "../../test/array-device.ts";
import { flush, makeBio, write } from "../../test/disk-bios.ts";
import { Proxy } from "../../test/proxy.ts";
import { u32 } from "../../test/raw-client.ts";
import { scripted } from "../../test/scripted-server.ts";
import { serve } from "../../test/serve.ts";
import { NbdDisk, type NbdDiskOptions, type NbdServerOptions } from "../index.ts";

const SIZE = 64 * 1024;
const { Read } = BioOp;
const { Ok, IoError } = BioStatus;

interface Remote {
  readonly disk: NbdDisk;
  readonly proxy: Proxy;
  readonly device: ArrayDevice;
  readonly warnings: string[];
}

async function remote(
  options: Partial<NbdDiskOptions>,
  server: Partial<NbdServerOptions> = {},
): Promise<Remote> {
  const device = new ArrayDevice(SIZE);
  const { path } = await serve(device, server);
  const proxy = await Proxy.before(path);
  const warnings: string[] = [];
  const scheduler = new EventLoopScheduler({ onWarning: (line) => warnings.push(line) });
  const address = { unix: proxy.path };
  const disk = await NbdDisk.open({ name: "remote", address, scheduler, ...options });
  onTestFinished(() => {
    device.letGo();
    return disk.close().catch(() => undefined);
  });
  return { disk, proxy, device, warnings };
}

const bytes = (fill: number): Uint8Array => new Uint8Array(512).fill(fill);

describe("when a connection is lost", () => {
  it("none: what is with the server fails, and all that comes", async () => {
    const { disk, proxy, device } = await remote({ connections: 2 });
    device.isHolding = true;
    const inFlight = ended(disk, makeBio(Read, 0, 512));
    await expect.poll(() => device.held.length).toBe(1);
    proxy.hangUp();
    expect(await inFlight).toBe(IoError);
    expect(await ended(disk, makeBio(Read, 0, 512))).toBe(IoError);
    expect(proxy.connections).toBe(2);
    await disk.close();
  });

  it("fail: what is with the server fails, and what comes goes to the next", async () => {
    const { disk, proxy, device } = await remote({ reconnect: "fail", connections: 2 });
    device.isHolding = true;
    const inFlight = ended(disk, makeBio(Read, 0, 512));
    await expect.poll(() => device.held.length).toBe(1);
    proxy.hangUp();
    expect(await inFlight).toBe(IoError);
    device.letGo();
    const later = [1, 2, 3].map((sector) => write(disk, sector, bytes(sector)));
    expect(await Promise.all(later)).toEqual([Ok, Ok, Ok]);
    expect(disk.connectionCount).toBe(2);
    expect(device.bytes[3 * 512]).toBe(3);
  });

  it("reissue: nobody above notices", async () => {
    const { disk, proxy, device, warnings } = await remote({
      reconnect: "reissue",
      maxInFlight: 3,
    });
    device.bytes.fill(9);
    device.isHolding = true;
    const reads = [1, 2, 3, 4, 5].map((sector) => makeBio(Read, sector, 512));
    const all = [...reads.map((bio) => ended(disk, bio)), write(disk, 9, bytes(7))];
    await expect.poll(() => device.held.length).toBe(3);
    proxy.hangUp();
    device.letGo();
    expect(new Set(await Promise.all(all))).toEqual(new Set([Ok]));
    for (const bio of reads) expect(dataOf(bio)[511]).toBe(9);
    expect(device.bytes[9 * 512]).toBe(7);
    expect(await flush(disk)).toBe(Ok);
    expect(warnings).toEqual([
      expect.stringMatching(/^disk "remote": .*; connecting again$/),
      'disk "remote": connected again',
    ]);
  });

  it("reissue: a server that says that it stops is waited for, too", async () => {
    let requests = 0;
    const path = await scripted({
      reply: (request) => {
        requests += 1;
        const errno = requests === 1 ? 108 : 0;
        return Buffer.concat([u32(0x67446698), u32(errno), request.subarray(8, 16)]);
      },
    });
    const scheduler = new EventLoopScheduler({ onWarning: () => undefined });
    const address = { unix: path };
    const disk = await NbdDisk.open({ name: "d", address, scheduler, reconnect: "reissue" });
    expect(await write(disk, 0, bytes(1))).toBe(Ok);
    expect(requests).toBe(2);
    await disk.close();
  });

  it("reissue: a bio that every server dies of is not sent for ever", async () => {
    let requests = 0;
    const path = await scripted({
      reply: () => {
        requests += 1;
        return null;
      },
    });
    const scheduler = new EventLoopScheduler({ onWarning: () => undefined });
    const address = { unix: path };
    const disk = await NbdDisk.open({ name: "d", address, scheduler, reconnect: "reissue" });
    expect(await write(disk, 0, bytes(1))).toBe(IoError);
    expect(requests).toBe(6);
    await disk.close();
  });
});

describe("a server that ends after any byte", () => {
  /** What a server says to the reads and writes of `use`, in bytes, behind its handshakes. */
  async function use(disk: NbdDisk): Promise<readonly BioStatus[]> {
    const read = makeBio(Read, 1, 512);
    const ends = await Promise.all([
      write(disk, 0, bytes(1), BioFlag.Fua),
      ended(disk, read),
      write(disk, 2, bytes(2), BioFlag.Fua | BioFlag.Preflush),
      flush(disk),
    ]);
    if (ends[1] === Ok) expect(dataOf(read)).toEqual(bytes(5));
    return ends;
  }

  it.each<[string, NbdServerOptions["disable"], number]>([
    ["simple replies", ["extended-headers", "structured-reply"], 5 * 16 + 512],
    ["chunks", [], 5 * 32 + 8 + 512],
  ])("loses nothing that is sent again, in %s", async (_what, disable = [], replyBytes) => {
    const device = new ArrayDevice(SIZE);
    device.bytes.fill(5, 512, 1024);
    const { path } = await serve(device, { disable });
    const scheduler = new EventLoopScheduler({ onWarning: () => undefined });
    // Around heads each byte, of data a few.
    const cuts = Array.from({ length: replyBytes - 1 }, (_, cut) => cut).filter(
      (cut) => cut < 50 || cut > replyBytes - 40 || cut % 61 === 0,
    );
    const cutAt = async (cut: number, reconnect: "fail" | "reissue"): Promise<void> => {
      const proxy = await Proxy.before(path);
      const address = { unix: proxy.path };
      const disk = await NbdDisk.open({ name: "d", address, scheduler, reconnect });
      proxy.cutAfter(cut + 1);
      const ends = await use(disk);
      if (reconnect === "reissue") expect(ends, String(cut)).toEqual([Ok, Ok, Ok, Ok]);
      else expect(ends, String(cut)).toContain(IoError);
      expect(await use(disk), String(cut)).toEqual([Ok, Ok, Ok, Ok]);
      expect(proxy.connections).toBe(2);
      await disk.close();
    };
    for (let from = 0; from < cuts.length; from += 40) {
      const some = cuts.slice(from, from + 40);
      await Promise.all(some.map((cut) => cutAt(cut, cut % 3 === 0 ? "fail" : "reissue")));
    }
    expect(device.bytes[0]).toBe(1);
    expect(device.bytes[2 * 512]).toBe(2);
  });

  it("of its handshake is an error of the opening, or one more attempt", async () => {
    const { path } = await serve(new ArrayDevice(SIZE));
    const scheduler = new EventLoopScheduler({ onWarning: () => undefined });
    const attempt = async (cut: number): Promise<void> => {
      const proxy = await Proxy.before(path);
      proxy.cutAfter(cut);
      const options = { name: "d", address: { unix: proxy.path }, scheduler } as const;
      await expect(NbdDisk.open(options)).rejects.toThrow(/"d": .* cannot be used: /);
      const disk = await NbdDisk.open({ ...options, reconnect: "reissue" });
      proxy.hangUp();
      proxy.cutAfter(cut);
      expect(await ended(disk, makeBio(Read, 0, 512))).toBe(Ok);
      expect(proxy.connections).toBe(4);
      await disk.close();
    };
    const cuts = Array.from({ length: 18 + 20 + 20 + 12 }, (_, cut) => cut + 1);
    await Promise.all(cuts.map(attempt));
  });
});

describe("what was answered and not flushed", () => {
  it("may be lost with the server: flushes fail from then on, and closing does", async () => {
    const { disk, proxy, warnings } = await remote({ reconnect: "reissue" });
    expect(await write(disk, 0, bytes(1))).toBe(Ok);
    proxy.hangUp();
    expect(await flush(disk)).toBe(IoError);
    expect(await write(disk, 0, bytes(1))).toBe(Ok);
    expect(await flush(disk)).toBe(IoError);
    expect(await write(disk, 1, bytes(1), BioFlag.Preflush)).toBe(IoError);
    expect(warnings[0]).toMatch(/writes since the last flush may be lost, and flushes will fail/);
    await expect(disk.close()).rejects.toThrow(/writes since the last good flush may be lost/);
  });

  it("is no more when it was flushed, or written through", async () => {
    const flushed = await remote({ reconnect: "reissue" });
    await write(flushed.disk, 0, bytes(1));
    await flush(flushed.disk);
    for (const disable of [[], ["fua"]] as const) {
      const through = await remote({ reconnect: "reissue", writesThrough: true }, { disable });
      expect(through.disk.queue.limits.hasVolatileCache).toBe(false);
      await write(through.disk, 0, bytes(1));
      through.proxy.hangUp();
      expect(await flush(through.disk)).toBe(Ok);
      await through.disk.close();
    }
    flushed.proxy.hangUp();
    expect(await flush(flushed.disk)).toBe(Ok);
    await flushed.disk.close();
  });

  it("is not seen to by a flush that was sent before it was answered", async () => {
    const { disk, proxy, device } = await remote({ reconnect: "reissue" });
    await write(disk, 0, bytes(1));
    device.isHolding = true;
    const early = flush(disk);
    await expect.poll(() => device.held.length).toBe(1);
    device.isHolding = false;
    await write(disk, 1, bytes(1));
    device.letGo();
    expect(await early).toBe(Ok);
    proxy.hangUp();
    expect(await flush(disk)).toBe(IoError);
  });
});

describe("a server that does not come back as it was", () => {
  it("is waited for no longer than was said", async () => {
    const { disk, proxy, warnings } = await remote({ reconnect: "reissue", reconnectMs: 150 });
    proxy.kill();
    expect(await ended(disk, makeBio(Read, 0, 512))).toBe(IoError);
    expect(warnings.at(-1)).toMatch(/all fails: .* did not come back within 150 ms: /);
    expect(await ended(disk, makeBio(Read, 0, 512))).toBe(IoError);
    await disk.close();
  });

  it.each<[string, () => Promise<{ path: string }>, RegExp]>([
    ["shorter", () => serve(new ArrayDevice(SIZE / 2)), /has 32768 bytes, and had 65536/],
    [
      "read-only, of the same size",
      () => serve(new ArrayDevice(SIZE), {}, { isReadOnly: true }),
      /is read-only, and was not/,
    ],
    [
      "without flushes",
      () => serve(new ArrayDevice(SIZE), { disable: ["flush"] }),
      /cannot flush any more/,
    ],
    [
      "with larger blocks",
      () =>
        serve(
          new ArrayDevice(SIZE, { logicalBlockBytes: 4096, physicalBlockBytes: 4096 }),
          {},
          { keepsBlockSize: true },
        ),
      /takes other block sizes than before/,
    ],
  ])("%s is refused", async (_what, other, message) => {
    const { disk, proxy, warnings } = await remote({ reconnect: "reissue" });
    proxy.target = (await other()).path;
    proxy.hangUp();
    expect(await ended(disk, makeBio(Read, 0, 512))).toBe(IoError);
    expect(warnings.at(-1)).toMatch(message);
    expect(disk.connectionCount).toBe(0);
    await disk.close();
  });

  it("but longer is used as far as it is known", async () => {
    const { disk, proxy } = await remote({ reconnect: "reissue" });
    proxy.target = (await serve(new ArrayDevice(SIZE * 2))).path;
    proxy.hangUp();
    expect(await ended(disk, makeBio(Read, SIZE / 512 - 1, 512))).toBe(Ok);
    expect(await ended(disk, makeBio(Read, SIZE / 512, 512))).toBe(IoError);
  });

  it("is not waited for by a disk that is closed", async () => {
    const { disk, proxy } = await remote({ reconnect: "reissue" });
    proxy.kill();
    await expect.poll(() => disk.connectionCount).toBe(0);
    await disk.close();
    expect(disk.connectionCount).toBe(0);
  });
});
