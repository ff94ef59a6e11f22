import { afterEach, beforeEach, expect, it } from "vitest";
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
