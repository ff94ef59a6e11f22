import { closeSync } from "node:fs";

/** What is used of the optional package koffi. */
interface Calls {
  socket(domain: number, type: number, protocol: number): number;
  sendto(
    ...args: [
      fd: number,
      bytes: Uint8Array,
      length: number,
      flags: number,
      address: Uint8Array,
      addressLength: number,
    ]
  ): number;
}

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;
const PATH_BYTES_MAX = 107;

/**
 * Sends one datagram to a unix socket, whose path may begin with `@` for one of no file. Answers whether
 * it was sent: not where the system cannot be called so, on others than Linux and without koffi.
 */
export async function sendDatagram(path: string, text: string): Promise<boolean> {
  const calls = await loadCalls();
  const address = addressOf(path);
  if (calls === null || address === null) return false;
  const fd = calls.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  try {
    const bytes = Buffer.from(text);
    const sent = calls.sendto(fd, bytes, bytes.length, MSG_NOSIGNAL, address, address.length);
    return sent === bytes.length;
  } finally {
    closeSync(fd);
  }
}

/** Null: no socket has so long a path. */
function addressOf(path: string): Uint8Array | null {
  const name = Buffer.from(path);
  if (name.length === 0 || name.length > PATH_BYTES_MAX) return null;
  if (path.startsWith("@")) name[0] = 0;
  const family = new Uint8Array(new Uint16Array([AF_UNIX]).buffer);
  // A name without a file is as long as the address says; a path ends with a zero.
  return Buffer.concat([family, name, Buffer.alloc(path.startsWith("@") ? 0 : 1)]);
}

let loading: Promise<Calls | null> | undefined;

/** The package may be missing, or have no binary for this machine: whoever asks has another way. */
function loadCalls(): Promise<Calls | null> {
  loading ??= process.platform === "linux" ? load().catch(() => null) : Promise.resolve(null);
  return loading;
}

async function load(): Promise<Calls> {
  const library = (await import("koffi")).default.load(null);
  return {
    socket: library.func("int socket(int domain, int type, int protocol)") as Calls["socket"],
    sendto: library.func(
      "int64_t sendto(int fd, void *bytes, size_t length, int flags, void *address, uint32_t addressLength)",
    ) as Calls["sendto"],
  };
}
