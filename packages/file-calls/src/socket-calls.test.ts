import { afterEach, beforeEach, expect, it, onTestFinished } from "vitest";
import * as fs from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadSocketCalls } from "./index.ts";
import { LinuxSocketCalls } from "./socket-calls.ts";

const calls = (await loadSocketCalls()) as LinuxSocketCalls;
const EBADF = -9;

let folder = "";
let server: Server;
let sender: Socket;

beforeEach(async () => {
  folder = fs.mkdtempSync(join(tmpdir(), "socket-calls-"));
  server = createServer((socket) => socket.pause());
  await new Promise<void>((resolve) => server.listen(join(folder, "socket"), resolve));
  sender = connect(join(folder, "socket"));
  await new Promise((resolve) => sender.once("connect", resolve));
});

afterEach(() => {
  sender.destroy();
  server.close();
  fs.rmSync(folder, { recursive: true });
});

/** How much the other side, which reads nothing, is sent before it has to. */
async function bytesThatFit(): Promise<number> {
  const piece = Buffer.alloc(4096);
  while (sender.writableLength === 0) sender.write(piece);
  await new Promise((resolve) => setImmediate(resolve));
  return sender.bytesWritten - sender.writableLength;
}

function descriptor(socket: Socket): number {
  return (socket as unknown as { _handle: { fd: number } })._handle.fd;
}

it("there are calls on this machine, and whoever asks again gets the same", async () => {
  expect(calls).toBeInstanceOf(LinuxSocketCalls);
  expect(await loadSocketCalls()).toBe(calls);
});

it("a socket that was given less room takes less that nobody reads", async () => {
  expect(calls.setSendBuffer(descriptor(sender), 16 * 1024)).toBe(0);
  expect(await bytesThatFit()).toBeLessThan(64 * 1024);
});

it("a socket that was given more room takes a reply of 128 KiB at once", async () => {
  expect(calls.setSendBuffer(descriptor(sender), 16 * 1024)).toBe(0);
  expect(calls.setSendBuffer(descriptor(sender), 200 * 1024)).toBe(0);
  expect(await bytesThatFit()).toBeGreaterThan(128 * 1024);
});

it("what is no socket is told with the errno of the system", () => {
  expect(calls.setSendBuffer(987_654, 4096)).toBe(EBADF);
});

it.each([0, -1, 0.5, NaN, 2 ** 31])("a buffer of %d bytes is refused", (bytes) => {
  expect(() => calls.setSendBuffer(0, bytes)).toThrow(RangeError);
});

const { load } = await import("koffi");
const library = load(null);
const open = library.func("int socket(int domain, int type, int protocol)") as (
  ...args: [number, number, number]
) => number;
const bind = library.func("int bind(int fd, void *address, uint32_t length)") as (
  ...args: [number, Uint8Array, number]
) => number;
const receive = library.func("int64_t recv(int fd, void *into, size_t length, int flags)") as (
  ...args: [number, Uint8Array, number, number]
) => number;

/** A socket of datagrams of that name. Answers how to take the next one; null: there is none. */
function listenAt(name: string): () => string | null {
  const fd = open(1, 2, 0);
  onTestFinished(() => {
    fs.closeSync(fd);
  });
  const address = Buffer.concat([Buffer.from([1, 0]), Buffer.from(name)]);
  expect(bind(fd, address, address.length)).toBe(0);
  return () => {
    const into = Buffer.alloc(100);
    const length = receive(fd, into, into.length, 0x40);
    return length < 0 ? null : into.toString("utf8", 0, length);
  };
}

it("a datagram arrives whole, at a socket that has a path and at one that has none", () => {
  const path = join(folder, "datagrams");
  const name = `socket-calls-${String(process.pid)}`;
  const [atPath, atName] = [listenAt(path), listenAt(`\0${name}`)];
  expect(calls.sendDatagram(path, Buffer.from("one"))).toBe(0);
  expect(calls.sendDatagram(`@${name}`, Buffer.from("two"))).toBe(0);
  expect(calls.sendDatagram(`@${name}`, Buffer.alloc(0))).toBe(0);
  expect([atPath(), atPath()]).toEqual(["one", null]);
  expect([atName(), atName(), atName()]).toEqual(["two", "", null]);
});

it("nobody waits for a socket that has no room for a datagram", () => {
  const next = listenAt(`\0full-${String(process.pid)}`);
  const name = `@full-${String(process.pid)}`;
  let sent = 0;
  let answer = 0;
  for (; answer === 0; sent += 1) answer = calls.sendDatagram(name, Buffer.from("x"));
  expect(answer).toBe(-11);
  for (let left = sent - 1; left > 0; left -= 1) expect(next()).toBe("x");
});

it("a datagram to nobody is told with the errno of the system, and leaves no descriptor", () => {
  const before = fs.readdirSync("/proc/self/fd").length;
  for (const [path, errno] of [
    [join(folder, "nobody"), -2],
    ["@nobody", -111],
    ["", -22],
    ["x".repeat(108), -22],
    ["a\0b", -22],
  ] as const)
    expect(calls.sendDatagram(path, Buffer.from("x"))).toBe(errno);
  expect(fs.readdirSync("/proc/self/fd").length).toBe(before);
});
