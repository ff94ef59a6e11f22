import { BioOp, BioStatus, SECTOR_BYTES } from "@blkstack/bio";
import { ExtentFlag } from "@blkstack/block";
import { RamDisk } from "@blkstack/disk-ram";
import { EventLoopScheduler } from "@blkstack/task/node";
import { describe, expect, it, vi } from "vitest";
import { ArrayDevice } from "../test/array-device.ts";
import { ask, connected, errorOf, PAYLOAD, TIB } from "../test/extended-client.ts";
import { extendedRequest, u64 } from "../test/raw-client.ts";
import { serve } from "../test/serve.ts";
import { Command } from "./wire.ts";

const { Read, Write } = Command;

describe("a long request", () => {
  it.each([
    ["trim", Command.Trim, BioOp.Discard],
    ["zeroes", Command.WriteZeroes, BioOp.WriteZeroes],
  ])("of %s is cut into bios that have room for their length", async (_what, command, op) => {
    const device = ArrayDevice.vast(3 * TIB);
    device.isLate = true;
    const client = await connected(await serve(device));
    const begin = 1024;
    const end = 10 * 2 ** 30 + 512;
    expect(errorOf(await ask(client, { command, offset: begin, length: end - begin }))).toBe(0);
    let at = begin / SECTOR_BYTES;
    for (const seen of device.seen) {
      expect(seen).toMatchObject({ op, sector: at });
      expect(seen.sectors).toBeGreaterThan(0);
      at += seen.sectors;
    }
    expect(at * SECTOR_BYTES).toBe(end);
    expect(device.seen.length).toBeLessThan(10);
  });

  it("ends with the error of the step that failed, and does no other", async () => {
    const device = ArrayDevice.vast(TIB);
    device.isHolding = true;
    const client = await connected(await serve(device));
    client.send(extendedRequest({ command: Command.WriteZeroes, length: TIB }));
    await vi.waitFor(() => {
      expect(device.held).toHaveLength(1);
    });
    device.status = BioStatus.NoSpace;
    device.letGo();
    expect(errorOf(await client.extendedChunk())).toBe(28);
    expect(device.seen).toHaveLength(1);
  });

  it("lets other requests of its connection pass, though its device never makes anybody wait", async () => {
    const device = ArrayDevice.vast(64 * TIB, { maxWriteZeroesSectors: 0 });
    const client = await connected(await serve(device));
    client.send(extendedRequest({ command: Command.WriteZeroes, cookie: 1n, length: 64 * TIB }));
    const flush = await ask(client, { command: Command.Flush, cookie: 2n });
    expect(flush.cookie).toBe(2n);
    const zeroesSeen = device.seen.length;
    expect((await ask(client, { command: Command.Flush, cookie: 3n })).cookie).toBe(3n);
    expect(device.seen.length).toBeGreaterThan(zeroesSeen);
  });

  it("ends with its connection, at the latest when the server stops waiting", async () => {
    const device = ArrayDevice.vast(64 * TIB, { maxWriteZeroesSectors: 0 });
    const served = await serve(device, { limits: { closeMs: 30 } });
    const client = await connected(served);
    client.send(extendedRequest({ command: Command.WriteZeroes, length: 64 * TIB }));
    await vi.waitFor(() => {
      expect(device.seen.length).toBeGreaterThan(2);
    });
    await served.server.close();
    await vi.waitFor(() => {
      expect(served.server.counters.pagesInUse).toBe(0);
    });
  });

  it("is right on a disk of nearly 2^53 bytes", async () => {
    const scheduler = new EventLoopScheduler();
    const sizeSectors = 2 ** 44 - 1;
    const disk = new RamDisk({ name: "huge", sizeSectors, scheduler });
    const served = await serve(disk);
    const client = await connected(served, "base:allocation");
    const size = sizeSectors * SECTOR_BYTES;
    const last = { offset: size - 512, length: 512 };
    const data = Buffer.alloc(512, "end");
    expect(errorOf(await ask(client, { command: Write, flags: PAYLOAD, ...last }, data))).toBe(0);
    const status = { command: Command.BlockStatus, offset: size - 2 ** 30, length: 2 ** 30 };
    const { body } = await ask(client, status);
    const hole = BigInt(ExtentFlag.Hole | ExtentFlag.Zero);
    const before = body.readBigUInt64BE(8);
    const expected = [u64(before), u64(hole), u64(2n ** 30n - before), u64(0)];
    expect(body.subarray(8)).toEqual(Buffer.concat(expected));
    expect(before).toBeGreaterThan(0n);
    const zeroes = {
      command: Command.WriteZeroes,
      offset: size - 6 * 2 ** 30,
      length: 6 * 2 ** 30,
    };
    expect(errorOf(await ask(client, zeroes))).toBe(0);
    const read = await ask(client, { command: Read, ...last });
    expect(read.body.subarray(8).every((byte) => byte === 0)).toBe(true);
    expect(errorOf(await ask(client, { ...zeroes, length: zeroes.length + 1 }))).toBe(28);
  });
});
