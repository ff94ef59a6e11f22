import { Chunk, Command, CommandFlag } from "../../src/wire.ts";
import type { Dialect } from "./handshake-model.ts";
import { Mismatch } from "./mismatch.ts";
import type { Expected } from "./transmission-model.ts";

const HEAD_BYTES: Readonly<Record<Dialect, number>> = { simple: 16, structured: 20, extended: 32 };
const MAGIC: Readonly<Record<Dialect, number>> = {
  simple: 0x6744_6698,
  structured: 0x668e_33ef,
  extended: 0x6e8a_278c,
};
const EXTENTS_MAX = 2 ** 20;

/** A reply that was read up to here; a text says why the bytes are not one. */
type Read = number | string;

/** One reply as it begins. */
interface Head {
  readonly isDone: boolean;
  readonly type: number;
  readonly bodyAt: number;
  readonly bodyEnd: number;
}

/**
 * Sees whether all these bytes are replies to these requests, each of them once, in any order.
 * Cookies may be used twice, so a reply may have to be tried on several requests.
 */
export class RequestReplies {
  readonly #bytes: Buffer;
  readonly #dialect: Dialect;
  /** By cookie. */
  readonly #open = new Map<bigint, Expected[]>();
  #openCount: number;
  readonly #mustBeComplete: boolean;
  #furthest = -1;
  #complaint = "";

  /** When it need not be complete, replies may be missing, and the last one may be cut. */
  constructor(
    bytes: Buffer,
    dialect: Dialect,
    expected: readonly Expected[],
    mustBeComplete: boolean,
  ) {
    this.#bytes = bytes;
    this.#dialect = dialect;
    this.#openCount = expected.length;
    for (const each of expected) {
      const others = this.#open.get(each.cookie);
      if (others === undefined) this.#open.set(each.cookie, [each]);
      else others.push(each);
    }
    this.#mustBeComplete = mustBeComplete;
  }

  /** Throws a Mismatch when not. */
  check(): void {
    if (!this.#follow(0)) throw new Mismatch(this.#complaint);
  }

  #follow(at: number): boolean {
    const bytes = this.#bytes;
    const headBytes = HEAD_BYTES[this.#dialect];
    if (at + headBytes > bytes.length) {
      if (!this.#mustBeComplete) return true;
      if (at === bytes.length && this.#openCount === 0) return true;
      const left = [...this.#open.values()].flat();
      const open = left.map(({ cookie }) => cookie.toString(16)).join(", ");
      return this.#complain(at, `the server closed and had not answered ${open}`);
    }
    if (bytes.readUInt32BE(at) !== MAGIC[this.#dialect]) return this.#complain(at, "no such magic");
    const cookie = bytes.readBigUInt64BE(at + 8);
    this.#complain(at, `a reply to ${cookie.toString(16)}, which was not asked or is answered`);
    const asked = this.#open.get(cookie) ?? [];
    for (const [index, expected] of asked.entries()) {
      const end =
        this.#dialect === "simple" ? this.#simple(at, expected) : this.#chunks(at, expected);
      if (typeof end === "string") {
        this.#complain(at, `the reply to ${cookie.toString(16)}: ${end}`);
        continue;
      }
      this.#open.set(cookie, asked.toSpliced(index, 1));
      this.#openCount -= 1;
      if (this.#follow(end)) return true;
      this.#open.set(cookie, asked);
      this.#openCount += 1;
    }
    return false;
  }

  #complain(at: number, complaint: string): false {
    if (at >= this.#furthest) this.#complaint = `at byte ${String(at)}: ${complaint}`;
    this.#furthest = Math.max(this.#furthest, at);
    return false;
  }

  /** What is missing is as it should be, unless all must be there. */
  #cut(): Read {
    return this.#mustBeComplete ? "is cut" : this.#bytes.length;
  }

  #simple(at: number, expected: Expected): Read {
    const { command, errors, length, holds } = expected;
    const error = this.#bytes.readUInt32BE(at + 4);
    if (!errors.includes(error)) return `error ${String(error)}, not ${errors.join(" or ")}`;
    if (error !== 0) return at + 16;
    if (isWrongZero(expected)) return "finds zeroes where there are none";
    if (command !== Command.Read) return at + 16;
    const end = at + 16 + length;
    const data = this.#bytes.subarray(at + 16, end);
    if (!holds(data, 0)) return "brings what the disk never held";
    return end <= this.#bytes.length ? end : this.#cut();
  }

  #head(at: number): Head {
    const bytes = this.#bytes;
    const bodyAt = at + HEAD_BYTES[this.#dialect];
    const bodyBytes =
      this.#dialect === "extended"
        ? Number(bytes.readBigUInt64BE(at + 24))
        : bytes.readUInt32BE(at + 16);
    return {
      isDone: bytes.readUInt16BE(at + 4) === 1,
      type: bytes.readUInt16BE(at + 6),
      bodyAt,
      bodyEnd: bodyAt + bodyBytes,
    };
  }

  #chunks(from: number, expected: Expected): Read {
    const pieces: [number, number][] = [];
    const told: number[] = [];
    let at = from;
    for (;;) {
      if (at + HEAD_BYTES[this.#dialect] > this.#bytes.length) return this.#cut();
      if (this.#bytes.readBigUInt64BE(at + 8) !== expected.cookie) return "is mixed with others";
      if (this.#bytes.readUInt32BE(at) !== MAGIC[this.#dialect]) return "no such magic inside";
      if (this.#dialect === "extended") {
        const offset = this.#bytes.readBigUInt64BE(at + 16);
        if (offset !== expected.offset) return "is for another offset";
      }
      const head = this.#head(at);
      if (head.bodyEnd > this.#bytes.length) return this.#cut();
      if (head.type >= 0x8000) return this.#error(head, expected);
      const wrong = this.#content(head, expected, pieces, told);
      if (wrong !== null) return wrong;
      at = head.bodyEnd;
      if (head.isDone) break;
    }
    if (!expected.errors.includes(0)) return `no error, not ${expected.errors.join(" or ")}`;
    if (isWrongZero(expected)) return "finds zeroes where there are none";
    const asked = expected.command === Command.BlockStatus ? expected.contexts : [];
    if (told.sort().join() !== [...asked].sort().join()) return "tells of other contexts";
    return this.#covers(pieces, expected) ? at : "does not bring every byte once";
  }

  #error({ isDone, type, bodyAt, bodyEnd }: Head, { errors, offset, length }: Expected): Read {
    const error = this.#bytes.readUInt32BE(bodyAt);
    if (!isDone) return "goes on behind an error";
    if (!errors.includes(error)) return `error ${String(error)}, not ${errors.join(" or ")}`;
    const textEnd = bodyAt + 6 + this.#bytes.readUInt16BE(bodyAt + 4);
    const isPlaced = type === Chunk.ErrorOffset;
    if (textEnd + (isPlaced ? 8 : 0) !== bodyEnd) return "an error of another length";
    if (isPlaced) {
      const place = this.#bytes.readBigUInt64BE(textEnd);
      const end = offset + BigInt(length);
      if (place < offset || place >= end) return "an error outside of its range";
    }
    return bodyEnd;
  }

  #content(
    { type, bodyAt, bodyEnd }: Head,
    { command, offset, length, holds, flags, contexts }: Expected,
    pieces: [number, number][],
    told: number[],
  ): string | null {
    const bytes = this.#bytes;
    if (type === Chunk.None) return bodyAt === bodyEnd ? null : "nothing, at some length";
    if (command === Command.Read && (type === Chunk.OffsetData || type === Chunk.OffsetHole)) {
      const from = Number(bytes.readBigUInt64BE(bodyAt) - offset);
      const isHole = type === Chunk.OffsetHole;
      const data = isHole
        ? Buffer.alloc(Math.min(length, bytes.readUInt32BE(bodyAt + 8)))
        : bytes.subarray(bodyAt + 8, bodyEnd);
      if (from < 0 || data.length === 0) return "data where none was asked for";
      if (!holds(data, from)) return "brings what the disk never held";
      if ((flags & CommandFlag.DontFragment) !== 0 && pieces.length > 0) return "is in fragments";
      pieces.push([from, from + data.length]);
      return null;
    }
    const isExtended = this.#dialect === "extended";
    const status = isExtended ? Chunk.ExtendedBlockStatus : Chunk.BlockStatus;
    if (command !== Command.BlockStatus || type !== status) return `chunk ${type.toString(16)}`;
    const id = bytes.readUInt32BE(bodyAt);
    if (!contexts.includes(id)) return "a context that was not asked for";
    told.push(id);
    const step = isExtended ? 16 : 8;
    const first = bodyAt + (isExtended ? 8 : 4);
    const count = (bodyEnd - first) / step;
    const isOne = (flags & CommandFlag.RequestOne) !== 0;
    if (!Number.isInteger(count) || count < 1 || count > EXTENTS_MAX) return "so many extents";
    if (isOne && count !== 1) return "more than one extent";
    let from = 0;
    for (let at = first; at < bodyEnd; at += step) {
      const extent = isExtended ? Number(bytes.readBigUInt64BE(at)) : bytes.readUInt32BE(at);
      const what = bytes.readUInt32BE(isExtended ? at + 12 : at + 4);
      if (extent === 0) return "an extent of nothing";
      if (from >= length) return "an extent behind the range";
      from += extent;
      if (isOne && from > length) return "an extent that is longer than its range";
      const isZero = id === 1 && (what & 2) !== 0;
      if (isZero && !holds(Buffer.alloc(Math.min(extent, length)), from - extent)) {
        return "calls zero what is none";
      }
    }
    return null;
  }

  #covers(pieces: [number, number][], { command, length }: Expected): boolean {
    if (command !== Command.Read) return pieces.length === 0;
    pieces.sort(([a], [b]) => a - b);
    let end = 0;
    for (const [from, to] of pieces) {
      if (from !== end) return false;
      end = to;
    }
    return end === length;
  }
}

/** Fast zeroes succeed without a write, where the range is zero already. */
function isWrongZero({ command, flags, length, holds }: Expected): boolean {
  if (command !== Command.WriteZeroes || (flags & CommandFlag.FastZero) === 0) return false;
  return length > 0 && !holds(Buffer.alloc(length), 0);
}
