// Byte for byte: what the server makes of options, of right ones and of wrong ones.
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import type { RawClient } from "../src/raw-client.ts";
import {
  ask,
  bytes32,
  choose,
  Command,
  Errno,
  goData,
  greet,
  option,
  Option,
  OptionReply,
  readOptionEnd,
  readReply,
  request,
} from "../src/raw-protocol.ts";
import { RawClient as Raw } from "../src/raw-client.ts";
import { Served } from "../src/served.ts";
import { Workbench } from "../src/workbench.ts";

const MIB = 1024 * 1024;
const SIZE_BYTES = 64 * MIB;
const STACK = `
disks:
  disk: { file: ./disk.img, size: 64MiB, create: true }
devices: {}
exports:
  disk: { device: disk }
`;
const { Invalid, TooBig, Unknown, Unsupported, Policy, Ack } = OptionReply;

const bench = new Workbench();
const socket = bench.path("nbd.sock");
let served: Served;

beforeAll(async () => {
  bench.write("stack.yaml", STACK);
  served = await Served.start(["stack.yaml", "--listen", `unix:${socket}`], bench.folder);
});

afterEach(async () => {
  // Whatever a client did: the next one is served.
  const client = await choose(socket, "disk");
  expect(await ask(client, { command: Command.Read, length: 512 })).toBe(Errno.Ok);
  client.vanish();
});

afterAll(async () => {
  expect(await served.stop()).toBe(0);
  bench.clear();
});

/** The session goes on: a LIST is answered as it should be. */
async function expectInSync(client: RawClient): Promise<void> {
  client.send(option(Option.List));
  const { option: answered, type } = await readOptionEnd(client);
  expect([answered, type]).toEqual([Option.List, Ack]);
  client.vanish();
}

it("N01: an unknown option with 8 KiB of data is refused, and the session goes on", async () => {
  const client = await greet(socket);
  client.send(option(0x1234, Buffer.alloc(8192, 1)));
  expect((await readOptionEnd(client)).type).toBe(Unsupported);
  await expectInSync(client);
});

it("N02: an unknown client flag ends the session", async () => {
  const client = await greet(socket, 0x8000_0003);
  expect(await client.readToEnd()).toHaveLength(0);
});

it("N03: LIST with data is invalid, and the session goes on", async () => {
  const client = await greet(socket);
  client.send(option(Option.List, Buffer.from("what?")));
  expect((await readOptionEnd(client)).type).toBe(Invalid);
  await expectInSync(client);
});

it("N04: ABORT with data is acknowledged before the server closes", async () => {
  const client = await greet(socket);
  client.send(option(Option.Abort, Buffer.from("bye")));
  expect((await readOptionEnd(client)).type).toBe(Ack);
  expect(await client.readToEnd()).toHaveLength(0);
});

it("N05: INFO with a name that would be longer than its data is invalid", async () => {
  const client = await greet(socket);
  client.send(option(Option.Info, Buffer.concat([bytes32(0xffff_fff0), Buffer.alloc(10)])));
  expect((await readOptionEnd(client)).type).toBe(Invalid);
  await expectInSync(client);
});

it("N06: GO that announces 65535 requests for information and brings none is invalid", async () => {
  const client = await greet(socket);
  const data = goData("disk");
  data.writeUInt16BE(0xffff, data.length - 2);
  client.send(option(Option.Go, data));
  expect((await readOptionEnd(client)).type).toBe(Invalid);
  await expectInSync(client);
});

it.each([
  ["N07", 4096],
  ["N08", 5000],
])("%s: an export name of %d bytes is unknown, or too big", async (_id, length) => {
  const client = await greet(socket);
  client.send(option(Option.Go, goData("x".repeat(length))));
  expect([Unknown, TooBig, Invalid]).toContain((await readOptionEnd(client)).type);
  await expectInSync(client);
});

it("N09: an option of 4 GiB does not fill the memory", async () => {
  const before = served.residentBytes();
  const client = await greet(socket);
  client.send(option(0x1234, Buffer.alloc(0), 0xffff_ffff));
  const chunk = Buffer.alloc(MIB);
  for (let sent = 0; sent < 16 && client.socket.writable; sent += 1) {
    await new Promise((resolve) => client.socket.write(chunk, resolve));
  }
  expect(served.residentBytes() - before).toBeLessThan(32 * MIB);
  client.vanish();
});

it("N10: STARTTLS is refused where there is no TLS, and the session goes on in clear", async () => {
  const client = await greet(socket);
  client.send(option(Option.StartTls));
  expect([Unsupported, Policy]).toContain((await readOptionEnd(client)).type);
  await expectInSync(client);
});

it.each([
  ["N18", 1, 134],
  ["N19", 3, 10],
])("%s: EXPORT_NAME with client flags %d is answered with %d bytes", async (_id, flags, length) => {
  const client = await greet(socket, flags);
  client.send(option(Option.ExportName, Buffer.from("disk")));
  const answer = await client.read(length);
  expect(answer.readBigUInt64BE()).toBe(BigInt(SIZE_BYTES));
  expect(answer.subarray(10).every((byte) => byte === 0)).toBe(true);
  expect(await ask(client, { command: Command.Read, length: 4096 })).toBe(Errno.Ok);
  client.vanish();
});

it("N20: EXPORT_NAME of what is not there ends the session without a word", async () => {
  const client = await greet(socket);
  client.send(option(Option.ExportName, Buffer.from("nothing")));
  expect(await client.readToEnd()).toHaveLength(0);
});

it("N21: a negotiation that is cut at any byte harms nobody else", async () => {
  const whole = Buffer.concat([bytes32(3), option(Option.Go, goData("disk", [3]))]);
  for (let length = 0; length < whole.length; length += 1) {
    const client = await Raw.open(socket);
    client.send(whole.subarray(0, length));
    if (length % 2 === 0) client.socket.end();
    else client.vanish();
  }
  const after = await choose(socket, "disk");
  expect(await ask(after, { command: Command.Read, length: 512 })).toBe(Errno.Ok);
  after.vanish();
});

it("N22: it may all come one byte at a time", async () => {
  const client = await Raw.open(socket);
  client.socket.setNoDelay(true);
  const whole = Buffer.concat([
    bytes32(3),
    option(Option.Go, goData("disk")),
    request({ command: Command.Read, length: 512, cookie: 5 }),
  ]);
  for (const byte of whole) {
    await new Promise((resolve) => client.socket.write(Uint8Array.of(byte), resolve));
    await new Promise(setImmediate);
  }
  await client.read(18);
  expect((await readOptionEnd(client)).type).toBe(Ack);
  expect(await readReply(client)).toEqual({ errno: Errno.Ok, cookie: 5 });
  client.vanish();
});

it("N23: it may all come at once, two reads included", async () => {
  const client = await Raw.open(socket);
  client.send(
    bytes32(3),
    option(Option.Go, goData("disk")),
    request({ command: Command.Read, length: 512, cookie: 1 }),
    request({ command: Command.Read, length: 512, offset: 4096, cookie: 2 }),
  );
  await client.read(18);
  expect((await readOptionEnd(client)).type).toBe(Ack);
  const cookies: number[] = [];
  for (let count = 0; count < 2; count += 1) {
    cookies.push((await readReply(client)).cookie);
    await client.read(512);
  }
  expect(cookies.sort()).toEqual([1, 2]);
  client.vanish();
});
