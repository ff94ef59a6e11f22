import type { Bytes } from "@blkstack/bio";
import { closeSync } from "node:fs";
import type { Ffi } from "./ffi.ts";
import { AF_UNIX, unixAddress } from "./unix-address.ts";

/** Calls of the system on sockets that Node.js does not have. */
export interface SocketCalls {
  /**
   * Asks for room for so many bytes that were written and that the other side has not read yet. The
   * system gives twice as much, to keep its own accounts in, and at most what its administrator allows.
   * Answers 0, or a negative errno.
   *
   * Waits: never. Throws a RangeError when that is no number of bytes.
   */
  setSendBuffer(fd: number, bytes: Bytes): number;

  /**
   * Sends one datagram to a unix socket, whose path may begin with `@` for one of no file. Answers 0, or
   * a negative errno: EAGAIN when whoever listens there has no room for it, EINVAL when no socket can
   * have the path.
   *
   * Waits: never.
   */
  sendDatagram(path: string, bytes: Uint8Array): number;
}

type SetOption = (
  ...args: [fd: number, level: number, name: number, value: Uint8Array, size: number]
) => number;

type OpenSocket = (domain: number, type: number, protocol: number) => number;

type SendTo = (
  ...args: [
    fd: number,
    bytes: Uint8Array,
    length: number,
    flags: number,
    address: Uint8Array,
    addressLength: number,
  ]
) => number;

const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const EINVAL = 22;
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const INT_MAX = 2 ** 31 - 1;

/** The calls of a C library, through koffi. */
export class LinuxSocketCalls implements SocketCalls {
  readonly #setOption: SetOption;
  readonly #open: OpenSocket;
  readonly #sendTo: SendTo;
  readonly #errno: () => number;

  /** Throws when the C library lacks a call. */
  constructor(ffi: Ffi) {
    const library = ffi.load(null);
    this.#setOption = library.func(
      "int setsockopt(int fd, int level, int name, void *value, uint32_t size)",
    ) as SetOption;
    this.#open = library.func("int socket(int domain, int type, int protocol)") as OpenSocket;
    this.#sendTo = library.func(
      "int64_t sendto(int fd, void *bytes, size_t length, int flags, void *address, uint32_t addressLength)",
    ) as SendTo;
    this.#errno = () => ffi.errno();
  }

  setSendBuffer(fd: number, bytes: Bytes): number {
    if (!Number.isSafeInteger(bytes) || bytes < 1 || bytes > INT_MAX) {
      throw new RangeError(`a buffer of ${String(bytes)} bytes; give 1 to ${String(INT_MAX)}`);
    }
    const value = new Uint8Array(Int32Array.of(bytes).buffer);
    const answer = this.#setOption(fd, SOL_SOCKET, SO_SNDBUF, value, value.length);
    return answer === 0 ? 0 : -this.#errno();
  }

  sendDatagram(path: string, bytes: Uint8Array): number {
    const address = unixAddress(path);
    if (address === null) return -EINVAL;
    const fd = this.#open(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -this.#errno();
    try {
      const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
      const sent = this.#sendTo(fd, bytes, bytes.length, flags, address, address.length);
      return sent < 0 ? -this.#errno() : 0;
    } finally {
      closeSync(fd);
    }
  }
}
