import { SECTOR_BYTES } from "@blkstack/bio";
import { describe, expect, it } from "vitest";
import { ArrayDevice } from "../test/array-device.ts";
import { option, query, type RawClient, request, type RawRequest } from "../test/raw-client.ts";
import { MIB, serve } from "../test/serve.ts";
import { NbdClient } from "./index.ts";
import { Command, Info, Option, OptionReply } from "./wire.ts";

const BLOCKS_4K = { logicalBlockBytes: 4096, physicalBlockBytes: 4096, ioMinBytes: 4096 };
const KEEPING = { keepsBlockSize: true };

/** Negotiates, and answers the smallest, best and largest block that the client was told. */
async function choose(client: RawClient, kinds: readonly number[]): Promise<number[] | null> {
  client.send(option(Option.Go, query("", kinds)));
  let sizes: number[] | null = null;
  for (;;) {
    const { type, data } = await client.optionReply();
    if (type === OptionReply.Ack) return sizes;
    if (data.readUInt16BE(0) !== Info.BlockSize) continue;
    sizes = [data.readUInt32BE(2), data.readUInt32BE(6), data.readUInt32BE(10)];
  }
}

async function connected(served: { connect(): RawClient }, kinds: readonly number[]) {
  const client = served.connect();
  await client.greet();
  const sizes = await choose(client, kinds);
  return { client, sizes };
}

async function errorOf(client: RawClient, fields: RawRequest): Promise<number> {
  const payload = fields.command === Command.Write ? Number(fields.length) : 0;
  client.send(request(fields), Buffer.alloc(payload));
  const { error } = await client.reply();
  if (fields.command === Command.Read && error === 0) await client.take(Number(fields.length));
  return error;
}

describe("block sizes", () => {
  it("are told as they are: any byte, the device's best, the largest request", async () => {
    const ofPages = await serve(new ArrayDevice(MIB, BLOCKS_4K));
    expect((await connected(ofPages, [Info.BlockSize])).sizes).toEqual([1, 4096, 32 * MIB]);
    const chunked = new ArrayDevice(MIB, { ...BLOCKS_4K, ioMinBytes: 65_536 });
    const limits = { requestBytesMax: 2 * MIB };
    const { sizes } = await connected(await serve(chunked, { limits }), [Info.BlockSize]);
    expect(sizes).toEqual([1, 65_536, 2 * MIB]);
  });

  it("of an export that keeps them begin at the device's, and end at whole ones", async () => {
    const limits = { requestBytesMax: 2 * MIB + 700 };
    const served = await serve(new ArrayDevice(MIB, BLOCKS_4K), { limits }, KEEPING);
    expect((await connected(served, [Info.BlockSize])).sizes).toEqual([4096, 4096, 2 * MIB]);
  });

  it("bind whom has asked for them, in every command, and nobody else", async () => {
    const served = await serve(new ArrayDevice(MIB, BLOCKS_4K), {}, KEEPING);
    const { client: asked } = await connected(served, [Info.BlockSize]);
    const { client: other } = await connected(served, []);
    const { Read, Write, Trim, WriteZeroes, Cache } = Command;
    for (const command of [Read, Write, Trim, WriteZeroes, Cache]) {
      expect(await errorOf(asked, { command, offset: 4096, length: 8192 })).toBe(0);
      expect(await errorOf(asked, { command, offset: 512, length: 4096 })).toBe(22);
      expect(await errorOf(asked, { command, offset: 4096, length: 512 })).toBe(22);
      expect(await errorOf(other, { command, offset: 513, length: 1 })).toBe(0);
    }
    expect(await errorOf(asked, { command: Command.Flush })).toBe(0);
  });

  it("bind also whom asked by INFO before, but not for another export", async () => {
    const served = await serve(new ArrayDevice(MIB, BLOCKS_4K), {}, KEEPING);
    served.server.addExport({ name: "other", device: served.device });
    const read = { command: Command.Read, length: 512 };
    const after = async (name: string): Promise<number> => {
      const client = served.connect();
      await client.greet();
      client.send(option(Option.Info, query(name, [Info.BlockSize])));
      while ((await client.optionReply()).type !== OptionReply.Ack);
      await choose(client, []);
      return errorOf(client, read);
    };
    expect(await after("disk")).toBe(22);
    expect(await after("other")).toBe(0);
  });

  it("do not keep anybody from the end of a device that ends inside a block", async () => {
    const device = new ArrayDevice(MIB, BLOCKS_4K);
    device.sizeSectors -= 1;
    const { client } = await connected(await serve(device, {}, KEEPING), [Info.BlockSize]);
    const length = 4096 - SECTOR_BYTES;
    expect(await errorOf(client, { command: Command.Read, offset: MIB - 4096, length })).toBe(0);
    expect(await errorOf(client, { command: Command.Read, offset: 0, length })).toBe(22);
  });
});

describe("the size of an export", () => {
  it("that has grown is for new clients; those that there are keep theirs", async () => {
    const device = new ArrayDevice(MIB);
    device.sizeSectors /= 2;
    const served = await serve(device);
    const before = await NbdClient.connect({ unix: served.path });
    device.sizeSectors *= 2;
    const after = await NbdClient.connect({ unix: served.path });
    expect([before.sizeBytes, after.sizeBytes]).toEqual([MIB / 2, MIB]);
    await after.write(MIB / 2, Buffer.from("new"));
    await expect(before.read(MIB / 2, 3)).rejects.toMatchObject({ errno: 22 });
    await expect(before.write(MIB / 2 - 1, Buffer.alloc(2))).rejects.toMatchObject({ errno: 28 });
    await before.write(MIB / 2 - 1, Buffer.alloc(1));
    expect(Buffer.from(await after.read(MIB / 2, 3)).toString()).toBe("new");
    await Promise.all([before.close(), after.close()]);
  });

  it("that has shrunk is so for all: nothing behind the new end reaches the device", async () => {
    const device = new ArrayDevice(MIB);
    const served = await serve(device);
    const client = await NbdClient.connect({ unix: served.path });
    device.sizeSectors /= 2;
    await expect(client.read(MIB - 700, 300)).rejects.toMatchObject({ errno: 22 });
    await expect(client.write(MIB / 2, Buffer.alloc(1))).rejects.toMatchObject({ errno: 28 });
    await expect(client.writeZeroes(0, MIB)).rejects.toMatchObject({ errno: 28 });
    expect(device.seen).toEqual([]);
    expect(await client.read(MIB / 2 - 3, 3)).toHaveLength(3);
    await client.close();
  });

  it("ends where offsets can still be told to the byte", async () => {
    const served = await serve();
    for (const size of [2 ** 53 + 512, 2 ** 63]) {
      const entry = { name: "vast", device: ArrayDevice.vast(size) };
      expect(() => {
        served.server.addExport(entry);
      }).toThrow(/"vast".* beyond 2\^53/);
    }
    const device = ArrayDevice.vast(2 ** 53 - 512);
    served.server.addExport({ name: "vast", device });
    device.sizeSectors = 2 ** 60;
    const client = await NbdClient.connect({ unix: served.path }, "vast");
    expect(client.sizeBytes).toBe(2 ** 53 - 512);
    await client.read(2 ** 53 - 1024, 512);
    expect(device.seen.at(-1)).toMatchObject({ sector: 2 ** 44 - 2, sectors: 1 });
    await client.close();
  });
});
