// What clients do that want something else than blocks. Each case is a hole that some server once had.
import { EventLoopScheduler } from "@blkstack/task/node";
import { describe, expect, it, vi } from "vitest";
import { ArrayDevice } from "../test/array-device.ts";
import { metaQuery, option, query, request } from "../test/raw-client.ts";
import { MIB, serve, type Served } from "../test/serve.ts";
import { NbdClient } from "./index.ts";
import { Command, Option, OptionReply } from "./wire.ts";

const STRUCTURED = option(Option.StructuredReply);
const READ_ALL = { command: Command.Read, length: 512 };

async function quiet(served: Pick<Served, "server">): Promise<void> {
  await vi.waitFor(() => {
    expect(served.server.counters).toEqual({
      halfOpen: 0,
      connections: 0,
      pagesInUse: 0,
      replyBytes: 0,
    });
  });
}

describe("a name of 4096 bytes", () => {
  // Cut at a byte of its own choosing, a text of these would end inside a character.
  it.each(["ä", "€", "😀"])(
    "of %s is refused in whole characters, wherever it is told",
    async (of) => {
      const client = (await serve()).connect();
      await client.greet();
      client.send(STRUCTURED);
      await client.optionReply();
      const room = 4096 - (4096 % Buffer.byteLength(of));
      const name = of.repeat(room / Buffer.byteLength(of)) + "x".repeat(4096 - room);
      for (const [code, data] of [
        [Option.Info, query(name)],
        [Option.ListMetaContext, metaQuery(name)],
        [Option.SetMetaContext, metaQuery(name, name)],
        [Option.Go, query(name)],
      ] as const) {
        client.send(option(code, data));
        const reply = await client.optionReply();
        expect([reply.option, reply.type]).toEqual([code, OptionReply.ErrUnknown]);
        expect(reply.data.length).toBeGreaterThan(4000);
        expect(reply.data.length).toBeLessThanOrEqual(4096);
        expect(new TextDecoder("utf-8", { fatal: true }).decode(reply.data)).toContain(of);
      }
    },
  );

  it("can be an export's, and is then chosen like any other", async () => {
    const name = "€".repeat(1365) + "x";
    const served = await serve(undefined, {}, { name });
    expect(await served.connect().go(name)).toMatchObject({ size: MIB });
  });
});

describe("a name", () => {
  it.each([
    "/etc/passwd",
    "../disk",
    "./disk",
    "disk/",
    "DISK",
    "disk\n",
    "__proto__",
    "constructor",
  ])("is a key and nothing else: there is no %j", async (name) => {
    const client = (await serve(undefined, {}, { isDefault: false })).connect();
    await client.greet();
    client.send(option(Option.Go, query(name)), option(Option.Go, query("")));
    expect((await client.optionReply()).type).toBe(OptionReply.ErrUnknown);
    expect((await client.optionReply()).type).toBe(OptionReply.ErrUnknown);
  });

  it("is listed when it can be chosen, and only then", async () => {
    const served = await serve();
    const { server, path } = served;
    const listed = async (): Promise<string[]> =>
      (await NbdClient.list({ unix: path })).map(({ name }) => name);
    server.addExport({ name: "late", device: new ArrayDevice(MIB) });
    for (const name of await listed()) await served.connect().go(name);
    expect(await listed()).toEqual(["disk", "late"]);
    await new Promise((resolve, reject) => {
      new EventLoopScheduler().spawn("remove", (task) =>
        vi.waitFor(() => server.removeExport("late", task, { force: true })).then(resolve, reject),
      );
    });
    expect(await listed()).toEqual(["disk"]);
    await expect(served.connect().go("late")).rejects.toThrow(/80000006/);
  });
});

describe("a device", () => {
  it("hears nothing of clients that never choose it, and nothing of them is in use", async () => {
    const served = await serve();
    const asked = served.connect();
    await asked.greet();
    const info = option(Option.Info, query("disk", [3]));
    const set = option(Option.SetMetaContext, metaQuery("disk", "base:allocation"));
    asked.send(option(Option.List), STRUCTURED, info, set, option(Option.Go, query("nobody")));
    while ((await asked.optionReply()).type !== OptionReply.ErrUnknown);
    expect(served.server.clientCount("disk")).toBe(0);
    expect(served.server.connections()).toEqual([]);
    asked.send(option(Option.Go, query("disk")));
    await vi.waitFor(() => {
      expect(served.server.clientCount("disk")).toBe(1);
    });
    expect(served.device.seen).toEqual([]);
  });

  it("is served as it is, whatever a client writes into its first sectors", async () => {
    const served = await serve();
    const first = served.connect();
    const { size } = await first.go();
    const header = Buffer.alloc(512);
    header.write("QFI\xfb\0\0\0\x03", "latin1");
    first.send(request({ command: Command.Write, length: 512 }), header);
    expect((await first.reply()).error).toBe(0);
    const next = served.connect();
    expect(await next.go()).toMatchObject({ size });
    next.send(request(READ_ALL));
    await next.reply();
    expect(await next.take(512)).toEqual(header);
  });
});

describe("a flood", () => {
  it("of options that are only skipped ends after 32 of them, as any other", async () => {
    const served = await serve();
    const client = served.connect();
    await client.greet();
    const long = option(0x1234, Buffer.alloc(64 * 1024));
    for (let count = 0; count < 40; count += 1) client.send(long);
    const heard = await client.takeAll();
    expect(heard.length).toBeLessThanOrEqual(32 * (20 + 100));
    await quiet(served);
  });

  it("of requests that share one cookie is answered request by request", async () => {
    const device = new ArrayDevice(MIB);
    device.isLate = true;
    const client = (await serve(device)).connect();
    await client.go();
    const cookie = 2n ** 64n - 1n;
    const flush = request({ command: Command.Flush, cookie });
    client.send(...Array.from({ length: 300 }, () => flush));
    for (let count = 0; count < 300; count += 1) {
      expect(await client.reply()).toEqual({ error: 0, cookie });
    }
    client.send(request({ ...READ_ALL, cookie: 1n }));
    expect(await client.reply()).toEqual({ error: 0, cookie: 1n });
  });

  it("of writes that break off in their payload leaves no page behind, and no write", async () => {
    const served = await serve();
    for (let length = 0; length < 40; length += 1) {
      const client = served.connect();
      await client.go();
      const write = request({ command: Command.Write, length: 64 * 1024 });
      client.send(write, Buffer.alloc(length * 1024, 0xee));
      if (length % 2 === 0) client.halfClose();
      else client.vanish();
      if (length % 2 === 0) expect(await client.takeAll()).toHaveLength(0);
    }
    await quiet(served);
    expect(served.device.seen).toEqual([]);
    expect(served.device.bytes.every((byte) => byte === 0)).toBe(true);
  });
});
