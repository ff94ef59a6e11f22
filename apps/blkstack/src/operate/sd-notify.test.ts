import { closeSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { temporaryFolder } from "../../test/cli.ts";
import { sdNotify, SdState } from "./sd-notify.ts";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const MSG_DONTWAIT = 0x40;

const { load } = await import("koffi");
const libc = load(null);
const socket = libc.func("int socket(int domain, int type, int protocol)") as (
  ...args: [number, number, number]
) => number;
const bind = libc.func("int bind(int fd, void *address, uint32_t length)") as (
  ...args: [number, Uint8Array, number]
) => number;
const recv = libc.func("int64_t recv(int fd, void *into, size_t length, int flags)") as (
  ...args: [number, Uint8Array, number, number]
) => number;

/** What systemd would have: a socket of datagrams. Answers how to take the next one; "": there is none. */
function listenAt(name: string): () => string {
  const fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  onTestFinished(() => {
    closeSync(fd);
  });
  const address = Buffer.concat([Buffer.from([AF_UNIX, 0]), Buffer.from(name)]);
  expect(bind(fd, address, address.length)).toBe(0);
  return () => {
    const into = Buffer.alloc(1000);
    const length = recv(fd, into, into.length, MSG_DONTWAIT);
    return into.toString("utf8", 0, Math.max(0, length));
  };
}

describe("systemd", () => {
  it("is told at a socket that has a path", async () => {
    const path = join(await temporaryFolder(), "notify");
    const next = listenAt(path);
    expect(await sdNotify(SdState.Ready, { NOTIFY_SOCKET: path })).toBe(true);
    expect(next()).toBe("READY=1");
  });

  it("is told at a socket that has none, when a reload begins too", async () => {
    const name = `blkstack-${String(process.pid)}`;
    const next = listenAt(`\0${name}`);
    expect(await sdNotify(SdState.reloading(), { NOTIFY_SOCKET: `@${name}` })).toBe(true);
    expect(next()).toMatch(/^RELOADING=1\nMONOTONIC_USEC=[0-9]+$/);
    expect(next()).toBe("");
  });

  it("is not told where nobody listens, nor of whoever does not run under it", async () => {
    const path = join(await temporaryFolder(), "nobody");
    const env = { NOTIFY_SOCKET: path, PATH: "" };
    expect(await sdNotify(SdState.Ready, env)).toBe(false);
    expect(await sdNotify(SdState.Ready, { NOTIFY_SOCKET: "x".repeat(108), PATH: "" })).toBe(false);
    expect(await sdNotify(SdState.Ready, {})).toBe(false);
  });
});
