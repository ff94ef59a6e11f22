import { equal, ok } from "node:assert/strict";
import {
  ask,
  Command,
  Errno,
  FLAG_FUA,
  greet,
  readReply,
  type Request,
  request,
} from "../raw-protocol.ts";
import type { Role } from "./makes.ts";
import type { Row } from "./row.ts";
import { serves, stream } from "./step.ts";
import { SIZE_BYTES } from "./target.ts";

const MIB = 1024 * 1024;
const UNKNOWN_FLAG = 1 << 15;
const { Read, Write, Flush, Trim, WriteZeroes, Disconnect } = Command;
const { Ok, Perm, Inval, NoSpace } = Errno;
const END = SIZE_BYTES - 512;

interface Ends {
  readonly id: string;
  readonly says: string;
  readonly requests: readonly Request[];
  readonly errnos: readonly number[];
  readonly role?: Role;
}

/** A row of requests that must each end with one of these, after which the session goes on. */
function ends({ id, says, requests, errnos, role = "disk" }: Ends): Row {
  return {
    id,
    says,
    check: async (target) => {
      for (const each of requests) {
        const client = await target.open(role);
        const errno = await ask(client, each, payloadOf(each));
        ok(errnos.includes(errno), `command ${String(each.command)}: error ${String(errno)}`);
        await serves(client);
      }
    },
  };
}

/** What a write brings would end the session, were it taken for a request. */
function payloadOf({ command, length = 0 }: Request): Buffer {
  if (command !== Write) return Buffer.alloc(0);
  const payload = Buffer.alloc(length, 0xff);
  request({ command: Disconnect }).copy(payload);
  return payload;
}

/** What servers make of requests, of right ones and of wrong ones, and of clients that leave. */
export const TRANSMISSION_ROWS: readonly Row[] = [
  {
    id: "T01",
    says: "a wrong magic: closes this client, and no other",
    check: async (target) => {
      const other = await target.open("disk");
      const client = await target.open("disk");
      client.send(request({ command: Read, length: 512, magic: 0x1234_5678 }));
      await client.readToEnd();
      await serves(other);
    },
  },
  ends({
    id: "T02",
    says: "an unknown command: EINVAL, and the session goes on",
    requests: [{ command: 99, length: 512 }],
    errnos: [Inval],
  }),
  ends({
    id: "T03",
    says: "an unknown flag: EINVAL, and the session goes on",
    requests: [{ command: Read, length: 512, flags: UNKNOWN_FLAG }],
    errnos: [Inval],
  }),
  ends({
    id: "T04",
    says: "a write with an unknown flag: EINVAL, its payload is taken for nothing else",
    requests: [{ command: Write, length: 4096, flags: UNKNOWN_FLAG }],
    errnos: [Inval],
  }),
  ends({
    id: "T05",
    says: "a write past the end: ENOSPC, its payload is taken for nothing else",
    requests: [{ command: Write, offset: END, length: 4096 }],
    errnos: [NoSpace],
  }),
  ends({
    id: "T06",
    says: "a range that wraps 2^64: EINVAL or ENOSPC",
    requests: [Read, Write, Trim, WriteZeroes].map((command) => {
      return { command, offset: 2n ** 64n - 512n, length: 1024 };
    }),
    errnos: [Inval, NoSpace],
  }),
  ends({
    id: "T07",
    says: "a read past the end: EINVAL",
    requests: [
      { command: Read, offset: SIZE_BYTES, length: 512 },
      { command: Read, offset: END, length: 1024 },
    ],
    errnos: [Inval],
  }),
  ends({
    id: "T08",
    says: "a trim past the end: EINVAL",
    requests: [{ command: Trim, offset: END, length: 1024 }],
    errnos: [Inval],
  }),
  ends({
    id: "T09",
    says: "zeroes past the end: ENOSPC",
    requests: [{ command: WriteZeroes, offset: END, length: 1024 }],
    errnos: [NoSpace],
  }),
  ends({
    id: "T10",
    says: "empty reads, writes, trims and zeroes: nobody is closed",
    requests: [Read, Write, Trim, WriteZeroes].map((command) => ({ command })),
    errnos: [Ok, Inval, NoSpace],
  }),
  ends({
    id: "T11",
    says: "a read of 32 MiB",
    requests: [{ command: Read, length: 32 * MIB }],
    errnos: [Ok],
  }),
  {
    id: "T12",
    says: "a read of 64 MiB: done, refused or too much; others go on",
    check: async (target) => {
      const client = await target.open("disk");
      client.send(request({ command: Read, length: 64 * MIB }));
      const errno = await readReply(client).then(
        (reply) => reply.errno,
        () => Inval,
      );
      if (errno === Ok) equal((await client.read(64 * MIB)).length, 64 * MIB);
      else ok(errno !== Perm, "EPERM");
      client.vanish();
      await serves(await target.open("disk"));
    },
  },
  {
    id: "T13",
    says: "a write that announces 4 GiB: takes less than 64 MiB of memory",
    check: async (target) => {
      const before = target.residentBytes("disk");
      const client = await target.open("disk");
      client.send(request({ command: Write, length: 0xffff_ffff }));
      await stream(client, 64);
      ok(target.residentBytes("disk") - before < 64 * MIB, "memory grows");
      client.vanish();
    },
  },
  ends({
    id: "T22",
    says: "FUA with any command: taken",
    requests: [Read, Write, Flush, Trim, WriteZeroes].map((command) => {
      return { command, flags: FLAG_FUA, length: command === Flush ? 0 : 512 };
    }),
    errnos: [Ok],
  }),
  {
    id: "T23",
    says: "64 writes and DISC: all are there when the server has closed",
    check: async (target) => {
      const client = await target.open("disk");
      for (let index = 0; index < 64; index += 1) {
        const head = request({ command: Write, offset: index * 8192, length: 4096, cookie: index });
        client.send(head, Buffer.alloc(4096, index + 1));
      }
      client.send(request({ command: Disconnect }));
      await client.readToEnd();
      const reader = await target.open("disk");
      for (let index = 0; index < 64; index += 1) {
        reader.send(request({ command: Read, offset: index * 8192, length: 4096 }));
        equal((await readReply(reader)).errno, Ok);
        ok((await reader.read(4096)).equals(Buffer.alloc(4096, index + 1)), "a write is lost");
      }
      reader.vanish();
    },
  },
  {
    id: "T24",
    says: "20 clients vanish with 32 MiB of reads under way: nobody else is harmed",
    check: async (target) => {
      for (let count = 0; count < 20; count += 1) {
        const client = await target.open("disk");
        for (let index = 0; index < 32; index += 1) {
          client.send(request({ command: Read, offset: index * MIB, length: MIB, cookie: index }));
        }
        await client.read(16);
        client.vanish();
      }
      await serves(await target.open("disk"));
    },
  },
  {
    id: "T25",
    says: "256 reads under way: each is answered once",
    check: async (target) => {
      const client = await target.open("disk");
      const cookies = new Set<number>();
      for (let cookie = 0; cookie < 256; cookie += 1) {
        client.send(request({ command: Read, offset: cookie * 4096, length: 4096, cookie }));
      }
      for (let count = 0; count < 256; count += 1) {
        const { errno, cookie } = await readReply(client);
        equal(errno, Ok);
        await client.read(4096);
        cookies.add(cookie);
      }
      equal(cookies.size, 256);
      await serves(client);
    },
  },
  ends({
    id: "T26",
    says: "writes, trims and zeroes of a read-only export: EPERM, and the session goes on",
    requests: [Write, Trim, WriteZeroes].map((command) => ({ command, length: 512 })),
    errnos: [Perm],
    role: "kept",
  }),
  {
    id: "Z01",
    says: "SIGTERM with a client that says nothing: the server is gone within 5 s",
    check: async (target) => {
      const client = await greet(target.socket("disk"));
      const late = new Promise<never>((_, reject) => {
        setTimeout(reject, 5000, new Error("it is still there")).unref();
      });
      await Promise.race([target.end("disk", "SIGTERM"), late]).finally(() => {
        client.vanish();
      });
      await target.ready();
    },
  },
];
