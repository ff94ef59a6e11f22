import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";
import { HttpServer, type Pages } from "./http-server.ts";

/** More than sockets keep for who does not read. */
const LARGE = "x".repeat(32 << 20);
/** For those who are to be parted with. */
const SHORT_MS = 200;
const LONG_MS = 60_000;

interface Opened {
  readonly server: HttpServer;
  readonly failures: unknown[];
  /** Connects, and says `text`. */
  readonly say: (text: string) => Socket;
}

async function open(pages: Partial<Pages> = {}, patienceMs = LONG_MS): Promise<Opened> {
  const failures: unknown[] = [];
  const all: Pages = {
    metrics: () => Promise.resolve("metrics\n"),
    ailments: () => [],
    isReady: () => true,
    failed: (error) => void failures.push(error),
    ...pages,
  };
  const server = await HttpServer.open({ host: "127.0.0.1", port: 0 }, all, patienceMs);
  onTestFinished(() => server.close());
  const { port } = new URL(server.url);
  return {
    server,
    failures,
    say: (text) => {
      const socket = connect(Number(port), "127.0.0.1");
      // That it was thrown out is what the tests look at, and how they see it.
      socket.on("error", () => undefined);
      onTestFinished(() => void socket.destroy());
      socket.write(text);
      return socket;
    },
  };
}

const GET = "GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n";

/** However that comes about. */
function ended(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once("close", () => {
      resolve();
    });
  });
}

/** All that is said to it until the end. */
async function answerTo(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (chunk) => (text += chunk.toString()));
  await ended(socket);
  return text;
}

it.each([
  ["nothing", false],
  ["a little now and then", true],
])("parts with who asks and then reads %s", async (_what, isReading) => {
  const { say } = await open({ metrics: () => Promise.resolve(LARGE) }, SHORT_MS);
  const slow = say(GET);
  const parted = ended(slow);
  slow.pause();
  await once(slow, "readable");
  const reading = setInterval(() => {
    if (isReading) slow.read();
  }, SHORT_MS / 40);
  await setTimeout(3 * SHORT_MS);
  clearInterval(reading);
  // What is on the way may still come; the rest never does.
  slow.resume();
  await parted;
  expect(slow.bytesRead).toBeGreaterThan(0);
  expect(slow.bytesRead).toBeLessThan(LARGE.length);
});

it("answers others while somebody does not read", async () => {
  const { server, say } = await open({ metrics: () => Promise.resolve(LARGE) });
  for (let count = 0; count < 8; count += 1) say(GET).pause();
  expect((await fetch(`${server.url}ready`)).status).toBe(200);
});

it("is not kept from one for long by many who connect and say nothing", async () => {
  const { server, say } = await open({}, SHORT_MS);
  const idle = Array.from({ length: 40 }, () => say("").resume());
  await Promise.all(idle.map(ended));
  expect((await fetch(`${server.url}ready`)).status).toBe(200);
});

it("does not read a header that is too large, nor one that does not end", async () => {
  const { say } = await open({}, SHORT_MS);
  const large = say(`GET / HTTP/1.1\r\nfiller: ${"x".repeat(10_000)}`);
  expect(await answerTo(large)).toMatch(/^HTTP\/1\.1 431 /);
  const endless = say("GET / HTTP/1.1\r\nhost: x\r\n");
  expect(await answerTo(endless)).toMatch(/^(?:HTTP\/1\.1 408 [^]*)?$/);
});

it("reads no body: it says so, and is gone", async () => {
  const { say } = await open();
  for (const header of [`content-length: ${String(2 ** 40)}`, "transfer-encoding: chunked"]) {
    const asked = say(`GET /metrics HTTP/1.1\r\nhost: x\r\n${header}\r\n\r\n`);
    const endless = setInterval(() => asked.write("x".repeat(1000)), 10);
    onTestFinished(() => {
      clearInterval(endless);
    });
    expect(await answerTo(asked)).toMatch(/^HTTP\/1\.1 413 /);
  }
});

it("makes one page for all who ask within a tenth of a second", async () => {
  let made = 0;
  const { server } = await open({
    metrics: () => Promise.resolve(`page ${String((made += 1))}\n`),
  });
  const pages = await Promise.all(
    Array.from({ length: 10 }, async () => (await fetch(`${server.url}metrics`)).text()),
  );
  expect(new Set(pages).size).toBe(made);
  expect(made).toBeLessThan(10);
});

it("says that a page cannot be made, to the log what the matter is, and goes on", async () => {
  const { server, failures } = await open({
    metrics: () => Promise.reject(new Error("a secret")),
    ailments: () => {
      throw new Error("another");
    },
  });
  for (const page of ["metrics", "health"]) {
    const response = await fetch(`${server.url}${page}`);
    expect([response.status, await response.text()]).toEqual([500, "internal error\n"]);
  }
  expect(failures.map(String)).toEqual(["Error: a secret", "Error: another"]);
  expect((await fetch(`${server.url}ready`)).status).toBe(200);
});
