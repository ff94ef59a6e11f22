import { Command, CommandFlag, ReplyError } from "../../src/wire.ts";
import type { Dialect, ModelExport } from "./handshake-model.ts";
import type { Holds, ModelDisk } from "./model-disk.ts";

/** A request that must be answered once. */
export interface Expected {
  readonly command: number;
  readonly flags: number;
  readonly cookie: bigint;
  readonly offset: bigint;
  /** What it is about, in bytes. */
  readonly length: number;
  /** What it may end with; 0: it may succeed. */
  readonly errors: readonly number[];
  /** What a read may bring, and where a status may tell of zeroes. */
  readonly holds: Holds;
  /** What a BLOCK_STATUS tells of. */
  readonly contexts: readonly number[];
}

/** What was agreed on before. */
export interface Terms {
  readonly entry: ModelExport;
  readonly dialect: Dialect;
  readonly contexts: readonly number[];
  readonly isMeasured: boolean;
  readonly requestBytesMax: number;
}

/** `over`: after DISC. `broken`: the server closes at once, and owes nothing any more. */
type TransmissionEnd = "open" | "over" | "broken";

interface Head {
  readonly flags: number;
  readonly command: number;
  readonly cookie: bigint;
  readonly offset: bigint;
  readonly length: bigint;
}

const KNOWN_FLAGS: readonly number[] = [
  CommandFlag.Fua | CommandFlag.DontFragment,
  CommandFlag.Fua,
  0,
  CommandFlag.Fua,
  CommandFlag.Fua,
  CommandFlag.Fua,
  CommandFlag.Fua | CommandFlag.NoHole | CommandFlag.FastZero,
  CommandFlag.Fua | CommandFlag.RequestOne,
];
const NOTHING: Holds = ({ length }) => length === 0;

/** What a server must make of requests, whole and in order. */
export class TransmissionModel {
  readonly expected: Expected[] = [];
  end: TransmissionEnd = "open";
  /** Bytes of the stream that meant something. */
  taken = 0;
  readonly #terms: Terms;
  readonly #disk: ModelDisk;

  constructor(terms: Terms, disk: ModelDisk) {
    this.#terms = terms;
    this.#disk = disk;
  }

  take(bytes: Buffer): void {
    const isExtended = this.#terms.dialect === "extended";
    const headBytes = isExtended ? 32 : 28;
    const magic = isExtended ? 0x21e4_1c71 : 0x2560_9513;
    let at = 0;
    while (this.end === "open" && at + headBytes <= bytes.length) {
      const head: Head = {
        flags: bytes.readUInt16BE(at + 4),
        command: bytes.readUInt16BE(at + 6),
        cookie: bytes.readBigUInt64BE(at + 8),
        offset: bytes.readBigUInt64BE(at + 16),
        length: isExtended ? bytes.readBigUInt64BE(at + 24) : BigInt(bytes.readUInt32BE(at + 24)),
      };
      if (bytes.readUInt32BE(at) !== magic) this.end = "broken";
      else if (head.command === Command.Disconnect) this.end = "over";
      at += headBytes;
      this.taken = at;
      if (this.end !== "open") return;
      const hasPayload = isExtended
        ? (head.flags & CommandFlag.PayloadLength) !== 0
        : head.command === Command.Write;
      const payloadBytes = hasPayload ? head.length : 0n;
      if (payloadBytes > BigInt(this.#terms.requestBytesMax)) {
        this.end = "broken";
        return;
      }
      const payloadEnd = at + Number(payloadBytes);
      if (payloadEnd > bytes.length) {
        // It waits for the rest, and takes what is there.
        this.taken = bytes.length;
        return;
      }
      this.#request(head, hasPayload ? bytes.subarray(at, payloadEnd) : null);
      at = payloadEnd;
      this.taken = at;
    }
    if (this.end === "open") this.taken = bytes.length;
  }

  #request(head: Head, payload: Buffer | null): void {
    const { command, flags, cookie, offset } = head;
    const errors = new Set<number>();
    let { length } = head;
    let { contexts } = this.#terms;
    if (payload !== null && command !== Command.Write) {
      const filter = command === Command.BlockStatus ? this.#filter(payload) : null;
      if (filter === null) errors.add(ReplyError.Invalid);
      length = filter?.length ?? 0n;
      contexts = filter?.contexts ?? [];
    }
    this.#complain({ ...head, length }, payload !== null, errors);
    const isRefused = errors.size > 0;
    const range = Number(length);
    const at = Number(offset);
    const isData = command === Command.Read && !isRefused && range > 0;
    let holds = isData ? this.#disk.expect(at, range) : NOTHING;
    const isFast = (flags & CommandFlag.FastZero) !== 0;
    if (!isRefused && range > 0) {
      // To be durable, trims and zeroes need more than one bio.
      if ((flags & CommandFlag.Fua) !== 0 && command !== Command.Write) this.#disk.loseOrder();
      if (command === Command.Write && payload !== null) this.#disk.write(at, payload);
      else if (command === Command.Trim) this.#disk.forget(at, range);
      else if (command === Command.WriteZeroes && isFast) {
        holds = this.#disk.expect(at, range);
        const asksForMore = (flags & (CommandFlag.NoHole | CommandFlag.Fua)) !== 0;
        if (!asksForMore) errors.add(ReplyError.Ok);
        errors.add(ReplyError.NotSupported);
      } else if (command === Command.WriteZeroes) this.#disk.zero(at, range);
      else if (command === Command.BlockStatus) {
        holds = this.#disk.expect(at, this.#terms.entry.sizeBytes - at);
      }
    }
    if (errors.size === 0) errors.add(ReplyError.Ok);
    const common = { command, flags, cookie, offset, length: range, contexts };
    this.expected.push({ ...common, errors: [...errors], holds });
  }

  /** Adds every reason for which a request may be refused: which of them is told is the server's choice. */
  #complain(head: Head, hasPayload: boolean, errors: Set<number>): void {
    const { command, flags, offset, length } = head;
    const { entry, dialect, contexts, isMeasured, requestBytesMax } = this.#terms;
    const known = KNOWN_FLAGS[command];
    if (known === undefined) {
      errors.add(ReplyError.Invalid);
      return;
    }
    const isExtended = dialect === "extended";
    const isChange =
      command === Command.Write || command === Command.Trim || command === Command.WriteZeroes;
    const invalid: boolean[] = [
      (flags & ~(isExtended ? known | CommandFlag.PayloadLength : known)) !== 0,
      dialect === "simple" && (flags & CommandFlag.DontFragment) !== 0,
      isExtended && hasPayload !== (command === Command.Write) && command !== Command.BlockStatus,
      // Fast zeroes are not offered with an export that takes no zeroes at all.
      entry.isReadOnly && (flags & CommandFlag.FastZero) !== 0,
    ];
    if (command !== Command.Flush) {
      const end = offset + length;
      const isPast = end > BigInt(entry.sizeBytes);
      const isForSpace = command === Command.Write || command === Command.WriteZeroes;
      if (isPast) errors.add(isForSpace ? ReplyError.NoSpace : ReplyError.Invalid);
      if (isChange && entry.isReadOnly) errors.add(ReplyError.Perm);
      const block = BigInt(isMeasured && entry.keepsBlockSize ? entry.blockBytes : 1);
      const isWhole = length % block === 0n || end === BigInt(entry.sizeBytes);
      invalid.push(
        length === 0n,
        offset % block !== 0n || !isWhole,
        command === Command.Read && length > BigInt(requestBytesMax),
        command === Command.BlockStatus && contexts.length === 0,
      );
    }
    if (invalid.includes(true)) errors.add(ReplyError.Invalid);
  }

  #filter(payload: Buffer): { length: bigint; contexts: number[] } | null {
    if (payload.length < 12 || payload.length % 4 !== 0) return null;
    const contexts: number[] = [];
    for (let at = 8; at < payload.length; at += 4) contexts.push(payload.readUInt32BE(at));
    const isKnown = contexts.every((id) => this.#terms.contexts.includes(id));
    if (!isKnown || new Set(contexts).size < contexts.length) return null;
    return { length: payload.readBigUInt64BE(0), contexts };
  }
}
