import { BioOp, BioStatus } from "@blkstack/bio";
import type { Extent } from "@blkstack/block";
import { describe, expect, it } from "vitest";
import { ArrayDevice } from "../test/array-device.ts";
import { metaQuery, option, type RawClient, request } from "../test/raw-client.ts";
import { MIB, serve, type Served } from "../test/serve.ts";
import { NBD_FEATURES } from "./features.ts";
import { Command, CommandFlag, Option } from "./wire.ts";

async function connected(served: Served): Promise<RawClient> {
  const client = served.connect();
  await client.go();
  return client;
}

async function ask(client: RawClient, fields: Parameters<typeof request>[0]): Promise<number> {
  client.send(request(fields));
  return (await client.reply()).error;
}

/** Knows that its second half is zeroes. */
class HalfZero extends ArrayDevice {
  findExtent(sector: number, extent: Extent): void {
    const half = this.sizeSectors / 2;
    extent.flags = sector < half ? 0 : 3;
    if (sector < half) extent.sectors = Math.min(extent.sectors, half - sector);
  }
}

describe("fast zeroes", () => {
  const FAST = { command: Command.WriteZeroes, flags: CommandFlag.FastZero };

  it("are there where the device knows of zeroes, and refused untouched elsewhere", async () => {
    const served = await serve(new HalfZero(MIB));
    const client = await connected(served);
    expect(await ask(client, { ...FAST, offset: MIB / 2, length: MIB / 2 })).toBe(0);
    expect(await ask(client, { ...FAST, offset: MIB / 2 - 1, length: 2 })).toBe(95);
    expect(await ask(client, { ...FAST, length: MIB })).toBe(95);
    expect(served.device.seen).toEqual([]);
  });

  it("are refused when they must be durable, or take space", async () => {
    const client = await connected(await serve(new HalfZero(MIB)));
    for (const more of [CommandFlag.Fua, CommandFlag.NoHole]) {
      const flags = CommandFlag.FastZero | more;
      expect(await ask(client, { ...FAST, flags, offset: MIB / 2, length: 512 })).toBe(95);
    }
  });

  it("are refused of a device that knows nothing, and lie past no end", async () => {
    const client = await connected(await serve());
    expect(await ask(client, { ...FAST, length: 512 })).toBe(95);
    expect(await ask(client, { ...FAST, offset: MIB, length: 512 })).toBe(28);
  });

  it("is a flag that nothing else knows", async () => {
    const client = await connected(await serve());
    const { FastZero: flags } = CommandFlag;
    expect(await ask(client, { command: Command.Trim, flags, length: 512 })).toBe(22);
  });
});

describe("the cache command", () => {
  it("reads the blocks of its range, and sends nothing of them", async () => {
    const served = await serve(new ArrayDevice(MIB));
    const client = await connected(served);
    expect(await ask(client, { command: Command.Cache, offset: 700, length: 300_000 })).toBe(0);
    const reads = served.device.seen.map(({ op, sector, sectors }) => [op, sector, sectors]);
    expect(reads).toEqual([
      [BioOp.Read, 1, 512],
      [BioOp.Read, 513, 75],
    ]);
    expect(served.server.counters.pagesInUse).toBe(0);
  });

  it("reads no more than 32 MiB, however much is asked for", async () => {
    const served = await serve(new ArrayDevice(33 * MIB));
    const client = await connected(served);
    expect(await ask(client, { command: Command.Cache, length: 33 * MIB })).toBe(0);
    const sectors = served.device.seen.reduce((sum, bio) => sum + bio.sectors, 0);
    expect(sectors).toBe((32 * MIB) / 512);
  });

  it("is there for read-only exports too, and tells of errors and of the end", async () => {
    const device = new ArrayDevice(MIB);
    const client = await connected(await serve(device, {}, { isReadOnly: true }));
    expect(await ask(client, { command: Command.Cache, length: 512 })).toBe(0);
    expect(await ask(client, { command: Command.Cache, offset: MIB, length: 1 })).toBe(22);
    device.status = BioStatus.Medium;
    expect(await ask(client, { command: Command.Cache, length: 512 })).toBe(5);
  });
});

describe("a server that is told to leave features out", () => {
  it("does not offer them, nor serve what must be offered first", async () => {
    const served = await serve(undefined, { disable: NBD_FEATURES });
    const client = served.connect();
    await client.greet();
    const unknown = 0x8000_0001;
    client.send(option(Option.StructuredReply));
    client.send(option(Option.ListMetaContext, metaQuery("disk")));
    expect((await client.optionReply()).type).toBe(unknown);
    expect((await client.optionReply()).type).toBe(unknown);
    const again = served.connect();
    expect((await again.go()).flags).toBe(1);
    for (const command of [Command.Trim, Command.WriteZeroes, Command.Cache]) {
      expect(await ask(again, { command, length: 512 })).toBe(22);
    }
    expect(await ask(again, { command: Command.Flush })).toBe(0);
  });

  it("offers all others", async () => {
    const all = await (await serve()).connect().go();
    const served = await serve(undefined, { disable: ["fast-zero"] });
    expect(all.flags - (await served.connect().go()).flags).toBe(0x800);
  });
});
