// Byte for byte: what the server makes of requests, of right ones and of wrong ones.
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import type { RawClient } from "../src/raw-client.ts";
import {
  ask,
  choose,
  Command,
  Errno,
  FLAG_FUA,
  readReply,
  type Request,
  request,
} from "../src/raw-protocol.ts";
import { Served } from "../src/served.ts";
import { Workbench } from "../src/workbench.ts";

const MIB = 1024 * 1024;
const SIZE_BYTES = 64 * MIB;
const STACK = `
disks:
  disk: { file: ./disk.img, size: 64MiB, create: true }
devices:
  kept: |
    0 131072 linear disk 0
exports:
  disk: { device: disk }
  kept: { device: kept, readOnly: true }
`;
const { Read, Write, Disconnect, Flush, Trim, WriteZeroes } = Command;
const UNKNOWN_FLAG = 1 << 15;

const bench = new Workbench();
const socket = bench.path("nbd.sock");
let served: Served;

beforeAll(async () => {
  bench.write("stack.yaml", STACK);
  served = await Served.start(["stack.yaml", "--listen", `unix:${socket}`], bench.folder);
});

afterEach(async () => {
  // Whatever a client did: the next one is served.
  await expectInSync(await choose(socket, "disk"));
});

afterAll(async () => {
  expect(await served.stop()).toBe(0);
  bench.clear();
});

/** The session goes on: a read is answered with its own cookie. */
async function expectInSync(client: RawClient): Promise<void> {
  client.send(request({ command: Read, length: 512, cookie: 4711 }));
  expect(await readReply(client)).toEqual({ errno: Errno.Ok, cookie: 4711 });
  await client.read(512);
  client.vanish();
}

it("T01: a wrong magic number ends this session, and no other", async () => {
  const other = await choose(socket, "disk");
  const client = await choose(socket, "disk");
  client.send(request({ command: Read, length: 512, magic: 0x1234_5678 }));
  expect(await client.readToEnd()).toHaveLength(0);
  await expectInSync(other);
});

it.each<[string, string, Request, number[]]>([
  ["T02", "an unknown command", { command: 99, length: 512 }, [Errno.Inval]],
  ["T03", "an unknown flag", { command: Read, length: 512, flags: UNKNOWN_FLAG }, [Errno.Inval]],
  [
    "T06",
    "an offset that overflows",
    { command: Read, offset: 2n ** 64n - 512n, length: 1024 },
    [Errno.Inval, Errno.NoSpace],
  ],
  ["T07", "a read past the end", { command: Read, offset: SIZE_BYTES, length: 512 }, [Errno.Inval]],
  [
    "T08",
    "a trim past the end",
    { command: Trim, offset: SIZE_BYTES - 512, length: 1024 },
    [Errno.Inval],
  ],
  [
    "T09",
    "zeroes past the end",
    { command: WriteZeroes, offset: SIZE_BYTES - 512, length: 1024 },
    [Errno.NoSpace],
  ],
])("%s: %s is refused, and the session goes on", async (_id, _what, wrong, errnos) => {
  const client = await choose(socket, "disk");
  expect(errnos).toContain(await ask(client, wrong));
  await expectInSync(client);
});

it.each<[string, string, Request, number]>([
  ["T04", "with an unknown flag", { command: Write, flags: UNKNOWN_FLAG }, Errno.Inval],
  ["T05", "past the end", { command: Write, offset: SIZE_BYTES - 512 }, Errno.NoSpace],
])(
  "%s: a write %s is refused, and its payload is not taken for requests",
  async (_id, _what, wrong, errno) => {
    const client = await choose(socket, "disk");
    const payload = request({ command: Disconnect });
    const full = Buffer.concat([payload, Buffer.alloc(4096 - payload.length, 0xff)]);
    expect(await ask(client, { ...wrong, length: full.length }, full)).toBe(errno);
    await expectInSync(client);
  },
);

it.each([
  ["read", Read],
  ["write", Write],
  ["trim", Trim],
  ["write zeroes", WriteZeroes],
])("T10: an empty %s ends somehow, and the session goes on", async (_name, command) => {
  const client = await choose(socket, "disk");
  const errno = await ask(client, { command, length: 0 });
  expect([Errno.Ok, Errno.Inval, Errno.NoSpace]).toContain(errno);
  await expectInSync(client);
});

it("T11: 32 MiB can be read at once", async () => {
  const client = await choose(socket, "disk");
  expect(await ask(client, { command: Read, length: 32 * MIB })).toBe(Errno.Ok);
  await expectInSync(client);
});

it("T12: 64 MiB are read, refused, or too much; others go on", async () => {
  const client = await choose(socket, "disk");
  client.send(request({ command: Read, length: 64 * MIB }));
  const errno = await readReply(client).then(
    (reply) => reply.errno,
    () => Errno.Inval,
  );
  if (errno === Errno.Ok) expect(await client.read(64 * MIB)).toHaveLength(64 * MIB);
  else expect(errno).not.toBe(Errno.Perm);
  client.vanish();
});

it("T13: a write that announces 4 GiB does not fill the memory", async () => {
  const before = served.residentBytes();
  const client = await choose(socket, "disk");
  client.send(request({ command: Write, length: 0xffff_ffff }));
  const chunk = Buffer.alloc(MIB);
  for (let sent = 0; sent < 64 && client.socket.writable; sent += 1) {
    await new Promise((resolve) => client.socket.write(chunk, resolve));
  }
  expect(served.residentBytes() - before).toBeLessThan(64 * MIB);
  client.vanish();
});

it.each<[string, Request]>([
  ["a write", { command: Write, length: 512 }],
  ["a read", { command: Read, length: 512 }],
  ["a flush", { command: Flush }],
  ["a trim", { command: Trim, length: 512 }],
  ["zeroes", { command: WriteZeroes, length: 512 }],
])("T22: FUA is taken with %s", async (_name, of) => {
  const client = await choose(socket, "disk");
  const payload = of.command === Write ? Buffer.alloc(512) : undefined;
  expect(await ask(client, { ...of, flags: FLAG_FUA }, payload)).toBe(Errno.Ok);
  await expectInSync(client);
});

it("T23: when the server has closed after DISC, every write before it is there", async () => {
  const client = await choose(socket, "disk");
  for (let index = 0; index < 64; index += 1) {
    const offset = index * 8192;
    const head = request({ command: Write, offset, length: 4096, cookie: index });
    client.send(head, Buffer.alloc(4096, index + 1));
  }
  client.send(request({ command: Disconnect }));
  await client.readToEnd();
  const reader = await choose(socket, "disk");
  for (let index = 0; index < 64; index += 1) {
    reader.send(request({ command: Read, offset: index * 8192, length: 4096 }));
    expect((await readReply(reader)).errno).toBe(Errno.Ok);
    expect((await reader.read(4096)).equals(Buffer.alloc(4096, index + 1))).toBe(true);
  }
  reader.vanish();
});

it("T24: twenty clients that vanish with 32 MiB of reads in flight harm nobody", async () => {
  for (let count = 0; count < 20; count += 1) {
    const client = await choose(socket, "disk");
    for (let index = 0; index < 32; index += 1) {
      client.send(request({ command: Read, offset: index * MIB, length: MIB, cookie: index }));
    }
    await client.read(16);
    client.vanish();
  }
  expect(served.isRunning).toBe(true);
});

it("T25: of 256 reads in flight each is answered once", async () => {
  const client = await choose(socket, "disk");
  for (let cookie = 0; cookie < 256; cookie += 1) {
    client.send(request({ command: Read, offset: cookie * 4096, length: 4096, cookie }));
  }
  const cookies = new Set<number>();
  for (let count = 0; count < 256; count += 1) {
    const { errno, cookie } = await readReply(client);
    expect(errno).toBe(Errno.Ok);
    await client.read(4096);
    cookies.add(cookie);
  }
  expect(cookies.size).toBe(256);
  await expectInSync(client);
});

it.each<[string, Request]>([
  ["a write", { command: Write, length: 512 }],
  ["a trim", { command: Trim, length: 512 }],
  ["zeroes", { command: WriteZeroes, length: 512 }],
])("T26: %s to a read-only export is not permitted, and the session goes on", async (_name, of) => {
  const client = await choose(socket, "kept");
  const payload = of.command === Write ? Buffer.alloc(512) : undefined;
  expect(await ask(client, of, payload)).toBe(Errno.Perm);
  await expectInSync(client);
});
