import { BioOp, SECTOR_BYTES } from "@blkstack/bio";
import { RamDisk } from "@blkstack/disk-ram";
import { EventLoopScheduler } from "@blkstack/task/node";
import { describe, expect, it } from "vitest";
import { ArrayDevice } from "../test/array-device.ts";
import { TIB } from "../test/extended-client.ts";
import { MIB, serve } from "../test/serve.ts";
import { NbdClient } from "./index.ts";

describe("the client with extended headers", () => {
  const wish = { extendedHeaders: true };

  it("writes, reads and zeroes, and has the server's words for what is wrong", async () => {
    const served = await serve(new ArrayDevice(MIB));
    const client = await NbdClient.connect({ unix: served.path }, "disk", wish);
    expect(client.hasExtendedHeaders).toBe(true);
    await client.write(511, Buffer.from("over a border"), { fua: true });
    await client.flush();
    expect(Buffer.from(await client.read(511, 13)).toString()).toBe("over a border");
    await client.writeZeroes(512, 512);
    expect(Buffer.from(await client.read(511, 3))).toEqual(Buffer.from("o\0\0"));
    const past = client.read(MIB, 1);
    await expect(past).rejects.toMatchObject({ code: "NBD_REPLY", errno: 22 });
    await expect(past).rejects.toThrow(/ends behind the end of the export/);
    expect(await client.read(0, 0)).toHaveLength(0);
    await client.close();
  });

  it("trims and zeroes more than 4 GiB at once", async () => {
    const device = ArrayDevice.vast(TIB);
    const client = await NbdClient.connect({ unix: (await serve(device)).path }, "", wish);
    await client.writeZeroes(0, TIB);
    await client.trim(512, 5 * 2 ** 30);
    const sectors = (op: BioOp): number =>
      device.seen.filter((bio) => bio.op === op).reduce((sum, bio) => sum + bio.sectors, 0);
    expect(sectors(BioOp.WriteZeroes) * SECTOR_BYTES).toBe(TIB);
    expect(sectors(BioOp.Discard) * SECTOR_BYTES).toBe(5 * 2 ** 30);
    await client.close();
  });

  it("goes without where the server does not know them, and then has a range of 4 GiB refused", async () => {
    const { path } = await serve(ArrayDevice.vast(TIB), { disable: ["extended-headers"] });
    const client = await NbdClient.connect({ unix: path }, "", wish);
    expect(client.hasExtendedHeaders).toBe(false);
    await client.trim(0, 2 ** 32 - 512);
    await expect(client.trim(0, 2 ** 32)).rejects.toBeInstanceOf(RangeError);
    await client.close();
  });

  it("puts a read together that comes in data and holes", async () => {
    const scheduler = new EventLoopScheduler();
    const disk = new RamDisk({ name: "sparse", sizeSectors: 8192, scheduler });
    const served = await serve(disk);
    const client = await NbdClient.connect({ unix: served.path }, "", wish);
    await client.write(MIB, Buffer.alloc(MIB, 7));
    const all = await client.read(0, 4 * MIB);
    expect(all.every((byte, at) => byte === (at >= MIB && at < 2 * MIB ? 7 : 0))).toBe(true);
    await client.close();
  });
});
