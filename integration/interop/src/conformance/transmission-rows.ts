import { equal, ok } from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { RawClient } from "../raw-client.ts";
import { ask, choose, Command, readReply, type Request, request } from "../raw-protocol.ts";
import type { Row } from "./row.ts";
import { type Role, SIZE_BYTES, type Target } from "./target.ts";

const MIB = 1024 * 1024;
const UNKNOWN_FLAG = 1 << 15;
const PERM = 1;
const INVAL = 22;
const NO_SPACE = 28;
const { Read, Write, Flush, Trim, WriteZeroes, Disconnect } = Command;

/** The session goes on: a read is answered with its own cookie. */
async function inSync(client: RawClient): Promise<void> {
  client.send(request({ command: Read, length: 512, cookie: 4711 }));
  const { errno, cookie } = await readReply(client);
  equal(errno, 0);
  equal(cookie, 4711);
  await client.read(512);
  client.vanish();
}

interface Ending {
  readonly errnos: readonly number[];
  readonly role?: Role;
}

/** A row of one request that must end with one of these, after which the session goes on. */
function ends(id: string, says: string, of: Request, { errnos, role = "disk" }: Ending): Row {
  return {
    id,
    says,
    check: async (target) => {
      const client = await choose(target.socket(role), "");
      const payload = of.command === Write ? Buffer.alloc(of.length ?? 0, 0xff) : undefined;
      const errno = await ask(client, of, payload);
      ok(errnos.includes(errno), `error ${String(errno)}`);
      await inSync(client);
    },
  };
}

function residentBytes(target: Target): number {
  const status = readFileSync(target.residentBytesFile("disk"), "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

const END = SIZE_BYTES - 512;

export const TRANSMISSION_ROWS: readonly Row[] = [
  {
    id: "T01",
    says: "a wrong magic closes this client alone",
    check: async (target) => {
      const other = await choose(target.socket("disk"), "");
      const client = await choose(target.socket("disk"), "");
      client.send(request({ command: Read, length: 512, magic: 0x1234_5678 }));
      await client.readToEnd();
      await inSync(other);
    },
  },
  ends("T02", "an unknown command: EINVAL", { command: 99, length: 512 }, { errnos: [INVAL] }),
  ends(
    "T03",
    "an unknown flag: EINVAL",
    { command: Read, length: 512, flags: UNKNOWN_FLAG },
    { errnos: [INVAL] },
  ),
  ends(
    "T04",
    "a write with one: payload taken",
    { command: Write, length: 512, flags: UNKNOWN_FLAG },
    { errnos: [INVAL] },
  ),
  ends(
    "T05",
    "a write past the end: ENOSPC",
    { command: Write, offset: END, length: 1024 },
    { errnos: [NO_SPACE] },
  ),
  ends(
    "T06",
    "a range that wraps 2^64",
    { command: Read, offset: 2n ** 64n - 512n, length: 1024 },
    { errnos: [INVAL, NO_SPACE] },
  ),
  ends(
    "T07",
    "a read past the end: EINVAL",
    { command: Read, offset: SIZE_BYTES, length: 512 },
    { errnos: [INVAL] },
  ),
  ends(
    "T08",
    "a trim past the end: EINVAL",
    { command: Trim, offset: END, length: 1024 },
    { errnos: [INVAL] },
  ),
  ends(
    "T09",
    "zeroes past the end: ENOSPC",
    { command: WriteZeroes, offset: END, length: 1024 },
    { errnos: [NO_SPACE] },
  ),
  ...[Read, Write, Trim, WriteZeroes].map((command) =>
    ends(
      `T10.${String(command)}`,
      "an empty request: no disconnect",
      { command },
      { errnos: [0, INVAL, NO_SPACE] },
    ),
  ),
  ends("T11", "a read of 32 MiB", { command: Read, length: 32 * MIB }, { errnos: [0] }),
  {
    id: "T13",
    says: "a write of 4 GiB announced: below 64 MiB of memory",
    check: async (target) => {
      const before = residentBytes(target);
      const client = await choose(target.socket("disk"), "");
      client.send(request({ command: Write, length: 0xffff_ffff }));
      for (let sent = 0; sent < 64 && client.socket.writable; sent += 1) {
        await new Promise((resolve) => client.socket.write(Buffer.alloc(MIB), resolve));
      }
      ok(residentBytes(target) - before < 64 * MIB, "memory grows");
      client.vanish();
    },
  },
  ...[Read, Write, Flush, Trim, WriteZeroes].map((command) =>
    ends(
      `T22.${String(command)}`,
      "FUA is borne",
      { command, flags: 1, length: command === Flush ? 0 : 512 },
      { errnos: [0] },
    ),
  ),
  {
    id: "T23",
    says: "64 writes before DISC are there at the end",
    check: async (target) => {
      const client = await choose(target.socket("disk"), "");
      for (let index = 0; index < 64; index += 1) {
        const head = request({ command: Write, offset: index * 8192, length: 4096, cookie: index });
        client.send(head, Buffer.alloc(4096, index + 1));
      }
      client.send(request({ command: Disconnect }));
      await client.readToEnd();
      const reader = await choose(target.socket("disk"), "");
      for (let index = 0; index < 64; index += 1) {
        reader.send(request({ command: Read, offset: index * 8192, length: 4096 }));
        equal((await readReply(reader)).errno, 0);
        ok((await reader.read(4096)).equals(Buffer.alloc(4096, index + 1)), "a write is lost");
      }
      reader.vanish();
    },
  },
  {
    id: "T24",
    says: "20 clients vanish with 32 MiB of reads in flight",
    check: async (target) => {
      for (let count = 0; count < 20; count += 1) {
        const client = await choose(target.socket("disk"), "");
        for (let index = 0; index < 32; index += 1) {
          client.send(request({ command: Read, offset: index * MIB, length: MIB, cookie: index }));
        }
        await client.read(16);
        client.vanish();
      }
      await inSync(await choose(target.socket("disk"), ""));
    },
  },
  {
    id: "T25",
    says: "256 reads in flight: each cookie once",
    check: async (target) => {
      const client = await choose(target.socket("disk"), "");
      const cookies = new Set<number>();
      for (let cookie = 0; cookie < 256; cookie += 1) {
        client.send(request({ command: Read, offset: cookie * 4096, length: 4096, cookie }));
      }
      for (let count = 0; count < 256; count += 1) {
        const { errno, cookie } = await readReply(client);
        equal(errno, 0);
        await client.read(4096);
        cookies.add(cookie);
      }
      equal(cookies.size, 256);
      await inSync(client);
    },
  },
  ...[Write, Trim, WriteZeroes].map((command) =>
    ends(
      `T26.${String(command)}`,
      "a change of a read-only export: EPERM",
      { command, length: 512 },
      { errnos: [PERM], role: "kept" },
    ),
  ),
];
