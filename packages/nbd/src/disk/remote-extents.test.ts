import { EventLoopScheduler } from "@blkstack/task/node";
import { describe, expect, it, onTestFinished } from "vitest";
import { ArrayDevice } from "../../test/array-device.ts";
import { HoleyDevice } from "../../test/holey-device.ts";
import { scripted } from "../../test/scripted-server.ts";
import { MIB, serve } from "../../test/serve.ts";
import { NbdClient, NbdDisk, type NbdServerOptions } from "../index.ts";

const ASKING = { blockStatus: true, extendedHeaders: true } as const;
const MULTI_CONN = 0x100;

interface Chain {
  /** A client of a server whose disk is that of another one. */
  readonly client: NbdClient;
  readonly disk: NbdDisk;
  readonly warnings: string[];
}

async function before(unix: string): Promise<Chain> {
  const warnings: string[] = [];
  const scheduler = new EventLoopScheduler({ onWarning: (line) => warnings.push(line) });
  const disk = await NbdDisk.open({ name: "far", address: { unix }, scheduler });
  const { path } = await serve(disk);
  const client = await NbdClient.connect({ unix: path }, "", ASKING);
  onTestFinished(async () => {
    await client.close();
    await disk.close();
  });
  return { client, disk, warnings };
}

async function mapOf(client: NbdClient, sizeBytes: number): Promise<string> {
  let map = "";
  for (let at = 0; at < sizeBytes;) {
    for (const { lengthBytes, flags } of await client.blockStatus(at, sizeBytes - at)) {
      map += String(flags).repeat(lengthBytes / 4096);
      at += lengthBytes;
    }
  }
  return map;
}

describe("holes of a disk at a server", () => {
  it.each<[string, NbdServerOptions["disable"]]>([
    ["that speaks extended headers", []],
    ["that does not", ["extended-headers"]],
  ])("%s are told to whoever asks for them, as they are by then", async (_what, disable = []) => {
    const far = await serve(new HoleyDevice(MIB, 16), { disable });
    const { client, warnings } = await before(far.path);
    expect(await mapOf(client, MIB)).toBe("3300".repeat(64));
    expect(await client.blockStatus(4096, 8192)).toEqual([
      { lengthBytes: 4096, flags: 3 },
      { lengthBytes: 4096, flags: 0 },
    ]);
    // One connection for bios, and one for questions.
    expect(far.server.counters.connections).toBe(2);
    expect(warnings).toEqual([]);
  });

  it("that fill many answers are all told", async () => {
    const far = await serve(new HoleyDevice(32 * MIB, 8));
    const { client } = await before(far.path);
    expect(await mapOf(client, 32 * MIB)).toBe("30".repeat(4096));
  });

  it.each<[string, NbdServerOptions["disable"]]>([
    ["knows none", ["meta-context"]],
    ["does not say that its connections are one disk", ["multi-conn"]],
  ])("are data when the server %s", async (_what, disable = []) => {
    const far = await serve(new HoleyDevice(MIB, 16), { disable });
    const { client, warnings } = await before(far.path);
    expect(await mapOf(client, MIB)).toBe("0".repeat(256));
    expect(warnings).toEqual([]);
  });

  it("are data, and told of, when the server breaks off; reads go on", async () => {
    const path = await scripted({
      dialect: "extended",
      contextId: 42,
      flags: 0x1 + 0x4 + MULTI_CONN,
      sizeBytes: MIB,
      reply: () => null,
    });
    const { client, disk, warnings } = await before(path);
    expect(await mapOf(client, MIB)).toBe("0".repeat(256));
    expect(warnings).toEqual([
      'disk "far": nothing is known of its holes: the server closed the connection',
    ]);
    expect(disk.connectionCount).toBe(1);
  });

  it("are not asked for by reads, which cannot wait", async () => {
    const far = await serve(new ArrayDevice(MIB));
    const { client } = await before(far.path);
    expect(await client.read(0, MIB)).toEqual(Buffer.alloc(MIB));
    expect(far.server.counters.connections).toBe(1);
  });
});
