import { dataOf, ended } from "@blkstack/block/testing";
import { writeFile } from "node:fs/promises";
import { BioFlag, BioOp, BioStatus, SECTOR_BYTES } from "@blkstack/bio";
import { EventLoopScheduler } from "@blkstack/task/node";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { ArrayDevice } from "../../test/array-device.ts";
import { flush, makeBio, write } from "../../test/disk-bios.ts";
import { u16, u32, u64 } from "../../test/raw-client.ts";
import { scripted } from "../../test/scripted-server.ts";
import { serve } from "../../test/serve.ts";
import { NbdDisk, type NbdDiskOptions, type NbdServerOptions } from "../index.ts";

const SIZE = 128 * 1024;
const { Read, Write, Flush, Discard, WriteZeroes } = BioOp;
const { Fua, Preflush, NoUnmap } = BioFlag;

async function openAt(unix: string, options: Partial<NbdDiskOptions> = {}): Promise<NbdDisk> {
  const scheduler = new EventLoopScheduler({ onWarning: () => undefined });
  const disk = await NbdDisk.open({ name: "remote", address: { unix }, scheduler, ...options });
  onTestFinished(() => disk.close().catch(() => undefined));
  return disk;
}

const SERVERS: readonly (readonly [
  string,
  NbdServerOptions["disable"],
  Partial<NbdDiskOptions>,
])[] = [
  ["that speaks extended headers", [], {}],
  ["on several connections", [], { connections: 4, maxInFlight: 7 }],
  ["that knows simple replies alone", ["extended-headers", "structured-reply"], {}],
  ["that cannot FUA", ["fua"], {}],
  ["that can neither flush nor FUA", ["fua", "flush"], {}],
  ["through which writes go", [], { writesThrough: true }],
];

describe("a disk at a server", () => {
  it.each(SERVERS)(
    "%s is what a plain array of bytes would be",
    async (_what, disable, options) => {
      const device = new ArrayDevice(SIZE);
      device.isLate = true;
      const { path } = await serve(device, disable === undefined ? {} : { disable });
      const disk = await openAt(path, options);
      const model = new Uint8Array(SIZE);
      const step = fc.record({
        op: fc.constantFrom(Read, Write, Write, WriteZeroes, Flush),
        sector: fc.nat(255),
        sectors: fc.integer({ min: 1, max: 100 }),
        flags: fc.constantFrom(0, 0, Fua, Preflush, Fua | Preflush, NoUnmap),
        fill: fc.integer({ min: 1, max: 255 }),
      });
      const property = fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
        for (const { op, sector, sectors, flags, fill } of steps) {
          const lengthBytes = op === Flush ? 0 : Math.min(sectors, 256 - sector) * SECTOR_BYTES;
          const begin = sector * SECTOR_BYTES;
          const bio = makeBio(op, sector, new Uint8Array(lengthBytes).fill(fill), flags);
          expect(await ended(disk, bio)).toBe(BioStatus.Ok);
          if (op === Write) model.fill(fill, begin, begin + lengthBytes);
          else if (op === WriteZeroes) model.fill(0, begin, begin + lengthBytes);
          else if (op === Read) {
            expect(Buffer.compare(dataOf(bio), model.subarray(begin, begin + lengthBytes))).toBe(0);
          }
        }
        expect(Buffer.compare(device.bytes, model)).toBe(0);
      });
      await fc.assert(property, { numRuns: 25 });
      await disk.close();
    },
  );

  it("has many bios with the server at once, no more than it may, and ends all", async () => {
    const device = new ArrayDevice(SIZE);
    const { path } = await serve(device);
    const disk = await openAt(path, { connections: 3, maxInFlight: 10 });
    expect(disk.connectionCount).toBe(3);
    device.isHolding = true;
    const writes = Array.from({ length: 40 }, (_, index) =>
      write(disk, index, new Uint8Array(512).fill(index + 1)),
    );
    await expect.poll(() => device.held.length).toBe(10);
    device.letGo();
    expect(new Set(await Promise.all(writes))).toEqual(new Set([BioStatus.Ok]));
    expect(device.bytes[39 * 512]).toBe(40);
  });

  it("speaks TLS where its address says so", async () => {
    const keys = new Map([["alice", Buffer.alloc(32, 7)]]);
    const { path } = await serve(new ArrayDevice(SIZE), { tls: { keys } });
    const pskFile = `${path}.psk`;
    await writeFile(pskFile, `alice:${"07".repeat(32)}\n`);
    const disk = await openAt(path, { address: { unix: path, tls: { pskFile } }, connections: 2 });
    const data = new Uint8Array(64 * 1024).fill(3);
    expect(await write(disk, 8, data)).toBe(BioStatus.Ok);
    const bio = makeBio(Read, 8, data.length);
    expect(await ended(disk, bio)).toBe(BioStatus.Ok);
    expect(Buffer.compare(dataOf(bio), data)).toBe(0);
    await disk.close();
    await expect(openAt(path)).rejects.toThrow(/TLS/);
  });

  it("makes one connection where the server does not say that several are one disk", async () => {
    const { path } = await serve(new ArrayDevice(SIZE), { disable: ["multi-conn"] });
    expect((await openAt(path, { connections: 4 })).connectionCount).toBe(1);
  });

  it("says of itself what the server says of the export", async () => {
    const { path } = await serve(
      new ArrayDevice(SIZE, { logicalBlockBytes: 4096, physicalBlockBytes: 4096 }),
      { disable: ["trim", "fua"] },
      { isReadOnly: true, keepsBlockSize: true },
    );
    const disk = await openAt(path);
    expect(disk.isReadOnly).toBe(true);
    expect(disk.sizeSectors).toBe(256);
    expect(disk.queue.limits).toMatchObject({
      logicalBlockBytes: 4096,
      maxDiscardSectors: 0,
      hasFua: false,
      hasVolatileCache: true,
    });
    expect(await write(disk, 0, new Uint8Array(4096))).toBe(BioStatus.ReadOnly);
  });

  it("keeps to the longest payload that the server takes", async () => {
    const path = await scripted({
      infos: [Buffer.concat([u16(3), u32(1), u32(4096), u32(65_536 + 7)])],
      reply: () => null,
    });
    expect((await openAt(path)).queue.limits).toMatchObject({ maxSectors: 128, maxHwSectors: 128 });
  });

  it("sends FUA where it is known, and flushes behind the write elsewhere", async () => {
    const device = new ArrayDevice(SIZE);
    const { path } = await serve(device, { disable: ["fua"] });
    const disk = await openAt(path);
    await write(disk, 0, new Uint8Array(512), Fua);
    expect(device.seen).toMatchObject([{ sectors: 1 }, { sectors: 0, flags: Preflush }]);
    device.seen.length = 0;
    const known = await serve(device);
    await write(await openAt(known.path), 0, new Uint8Array(512), Fua);
    expect(device.seen).toMatchObject([{ sectors: 1, flags: Fua }]);
  });

  it("passes on discards, and errors by their kind", async () => {
    const device = new ArrayDevice(SIZE);
    const { path } = await serve(device);
    const disk = await openAt(path);
    expect(await ended(disk, makeBio(Discard, 8, new Uint8Array(4096)))).toBe(BioStatus.Ok);
    expect(device.bytes[8 * 512]).toBe(0xdd);
    for (const status of [BioStatus.NoSpace, BioStatus.Resource, BioStatus.IoError]) {
      device.status = status;
      expect(await write(disk, 0, new Uint8Array(512))).toBe(status);
    }
    device.status = BioStatus.Ok;
    expect(await ended(disk, makeBio(Read, 256, 512))).toBe(BioStatus.IoError);
    await disk.close();
    expect(await ended(disk, makeBio(Read, 0, 512))).toBe(BioStatus.IoError);
  });

  it("flushes when it is closed, and only if there is something to flush", async () => {
    const device = new ArrayDevice(SIZE);
    const { path } = await serve(device);
    const disk = await openAt(path);
    await write(disk, 0, new Uint8Array(512));
    await disk.close();
    expect(device.seen).toMatchObject([{ sectors: 1 }, { sectors: 0, flags: Preflush }]);
    await (await openAt(path)).close();
    expect(device.seen.length).toBe(2);
  });
});

describe("a disk that cannot be opened says why", () => {
  it.each<[string, Partial<NbdDiskOptions>, RegExp]>([
    [
      "there is no server",
      { address: { unix: "/nowhere" } },
      /"remote": nbd\+unix:.*nowhere.*ENOENT/,
    ],
    ["it has another size", { sizeBytes: 512 }, /has 131072 bytes; its size should be 512/],
    ["a number makes no sense", { connections: 17 }, /connections is 17.*from 1 to 16/],
  ])("when %s", async (_what, options, message) => {
    const { path } = await serve(new ArrayDevice(SIZE));
    await expect(openAt(path, options)).rejects.toThrow(message);
  });

  it("when the export is no sector long, or there is none of its name", async () => {
    const path = await scripted({ sizeBytes: 511, reply: () => null });
    await expect(openAt(path)).rejects.toThrow(/has 511 bytes; a disk has one block at least/);
    const { path: unix } = await serve(new ArrayDevice(SIZE));
    const wrong = { address: { unix, exportName: "other" } };
    await expect(openAt(unix, wrong)).rejects.toThrow(/the server refuses "other"/);
  });

  it("when block sizes are none", async () => {
    const infos = [Buffer.concat([u16(3), u32(3), u32(4096), u32(65_536)])];
    const path = await scripted({ infos, reply: () => null });
    await expect(openAt(path)).rejects.toThrow(/odd block sizes: 3, 4096, 65536/);
  });
});

describe("a server that lies is not listened to any more", () => {
  const simple = (cookie: Buffer, data = Buffer.alloc(0), magic = 0x67446698): Buffer =>
    Buffer.concat([u32(magic), u32(0), cookie, data]);
  const chunk = (request: Buffer, type: number, body: Buffer, isLast = true): Buffer =>
    Buffer.concat([
      u32(0x6e8a278c),
      u16(isLast ? 1 : 0),
      u16(type),
      request.subarray(8, 16),
      request.subarray(16, 24),
      u64(body.length),
      body,
    ]);
  const data = (at: number, length: number): Buffer =>
    Buffer.concat([u64(at), Buffer.alloc(length, 7)]);

  it.each<[string, boolean, (request: Buffer) => Buffer]>([
    ["of a cookie", false, () => simple(u64(999_999))],
    ["of the magic", false, (request) => simple(request.subarray(8, 16), undefined, 1)],
    ["by a chunk in place of a reply", false, (request) => chunk(request, 0, Buffer.alloc(0))],
    ["by no data", true, (request) => chunk(request, 0, Buffer.alloc(0))],
    ["by too little data", true, (request) => chunk(request, 1, data(0, 500))],
    ["by too much data", true, (request) => chunk(request, 1, data(0, 1025))],
    ["of where data belongs", true, (request) => chunk(request, 1, data(512, 1024))],
    [
      "by a hole of all and more",
      true,
      (request) => chunk(request, 2, Buffer.concat([u64(0), u32(1025)])),
    ],
    ["by a hole without length", true, (request) => chunk(request, 2, u64(0))],
    [
      "by the same data twice",
      true,
      (request) =>
        Buffer.concat([
          chunk(request, 1, data(512, 512), false),
          chunk(request, 1, data(0, 500), false),
          chunk(request, 1, data(488, 12)),
        ]),
    ],
    ["by an error that is none", true, (request) => chunk(request, 0x8001, Buffer.alloc(6))],
    [
      "by an error of no end",
      true,
      (request) =>
        Buffer.concat([chunk(request, 0x8001, Buffer.alloc(0)).subarray(0, 24), u64(2n ** 60n)]),
    ],
    ["by a kind of chunk that was not asked for", true, (request) => chunk(request, 5, u64(0))],
  ])("%s", async (_what, isExtended, reply) => {
    const path = await scripted({ isExtended, reply });
    const disk = await openAt(path);
    expect(await ended(disk, makeBio(Read, 0, 1024))).toBe(BioStatus.IoError);
    expect(disk.connectionCount).toBe(0);
    expect(await ended(disk, makeBio(Read, 0, 1024))).toBe(BioStatus.IoError);
  });

  it("but one that tells the truth in odd pieces is understood", async () => {
    const path = await scripted({
      isExtended: true,
      reply: (request) =>
        Buffer.concat([
          chunk(request, 1, data(600, 424), false),
          chunk(request, 0, Buffer.alloc(0), false),
          chunk(request, 2, Buffer.concat([u64(10), u32(590)]), false),
          chunk(request, 1, data(0, 10)),
        ]),
    });
    const bio = makeBio(Read, 0, 1024);
    expect(await ended(await openAt(path), bio)).toBe(BioStatus.Ok);
    const expected = Buffer.alloc(1024, 7).fill(0, 10, 600);
    expect(Buffer.compare(dataOf(bio), expected)).toBe(0);
  });

  it("and none is flushed at that does not offer to", async () => {
    const seen: number[] = [];
    const path = await scripted({
      flags: 0x1,
      reply: (request) => {
        seen.push(request.readUInt16BE(6));
        return simple(request.subarray(8, 16));
      },
    });
    const disk = await openAt(path);
    expect(await write(disk, 0, new Uint8Array(512), Preflush | Fua)).toBe(BioStatus.Ok);
    expect(await flush(disk)).toBe(BioStatus.Ok);
    await disk.close();
    expect(seen).toEqual([1, 2]);
  });
});
