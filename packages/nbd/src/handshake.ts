import type { Bytes } from "@blkstack/bio";
import { Dialect } from "./dialect.ts";
import type { ExportInfo, ExportTable, NbdExport } from "./export.ts";
import { type DisabledFeatures, isOptionDisabled, NOTHING_DISABLED } from "./features.ts";
import type { NbdLimits } from "./limits.ts";
import { type MetaSelection, NOTHING_SELECTED } from "./meta-context.ts";
import { greeting, optionReply, replyText } from "./option-reply.ts";
import { OPTION_HANDLERS, type OptionSession } from "./options.ts";
import {
  HandshakeFlag,
  Option,
  OPTION_HEADER_BYTES,
  OPTION_MAGIC,
  OptionReply,
  STRING_BYTES_MAX,
} from "./wire.ts";

/** Whom the handshake talks through. */
export interface HandshakePeer {
  send(bytes: Uint8Array): void;
  /** Sends these as the last bytes in clear; what the client says from then on is TLS. */
  startTls(bytes: Uint8Array): void;
  /** Closes once everything sent has gone. */
  close(reason: string): void;
}

/** Options that are understood may bring this much: any name and list of kinds, or thirty long texts. */
const OPTION_BYTES_MAX = 4 + STRING_BYTES_MAX + 2 + 2 * 0xffff;
/** More than this is not even skipped. */
const SKIPPED_BYTES_MAX = 1024 * 1024;

/** What a client sends that lists exports with all that there is to know of them. */
const OPTIONS_PER_EXPORT = 4;
const OPTIONS_AROUND_LIST = 8;

/** Whether clients may, or must, ask for TLS before anything else. */
export const TlsMode = { Off: 0, Offered: 1, Required: 2 } as const;
export type TlsMode = (typeof TlsMode)[keyof typeof TlsMode];

/** What clients can have of all that is known here. */
export interface Offer {
  readonly disabled: DisabledFeatures;
  readonly tls: TlsMode;
}

const ALL_IN_CLEAR: Offer = { disabled: NOTHING_DISABLED, tls: TlsMode.Off };

const Step = {
  ClientFlags: 0,
  OptionHeader: 1,
  OptionData: 2,
  Skip: 3,
  StartingTls: 4,
  Over: 5,
} as const;
type Step = (typeof Step)[keyof typeof Step];

/**
 * The negotiation with one client, fed with bytes as they come, in pieces of any size. Touches no
 * socket and no clock.
 */
export class Handshake implements OptionSession {
  readonly exports: ExportTable;
  readonly requestBytesMax: Bytes;
  dialect: Dialect = Dialect.Simple;
  selection: MetaSelection = NOTHING_SELECTED;
  measured: NbdExport | null = null;
  readonly disabled: DisabledFeatures;
  readonly #limits: NbdLimits;
  readonly #peer: HandshakePeer;
  readonly #tls: TlsMode;
  #isSecure = false;
  #step: Step = Step.ClientFlags;
  #noZeroes = false;
  #option = 0;
  #optionCount = 0;
  #chosen: NbdExport | null = null;
  #described: ExportInfo | null = null;
  /** What is awaited before the next step, and how much of it is here. */
  #piece: Buffer = Buffer.alloc(4);
  #pieceFilled = 0;
  #skipBytes = 0;

  constructor(
    exports: ExportTable,
    limits: NbdLimits,
    peer: HandshakePeer,
    { disabled, tls }: Offer = ALL_IN_CLEAR,
  ) {
    this.exports = exports;
    this.disabled = disabled;
    this.requestBytesMax = limits.requestBytesMax;
    this.#limits = limits;
    this.#peer = peer;
    this.#tls = tls;
  }

  get noZeroes(): boolean {
    return this.#noZeroes;
  }

  /** The export that requests will be for; null until the client has chosen. */
  get chosen(): NbdExport | null {
    return this.#chosen;
  }

  /** What the client was told of it. */
  get described(): ExportInfo | null {
    return this.#described;
  }

  /** Whether the client asked for the block sizes of what it chose, and so has to keep to them. */
  get keepsBlockSize(): boolean {
    return this.measured !== null && this.measured === this.#chosen;
  }

  get isOver(): boolean {
    return this.#step === Step.Over;
  }

  get isSecure(): boolean {
    return this.#isSecure;
  }

  /** Whether the client has said its last in clear: nothing is taken until `secured`. */
  get isStartingTls(): boolean {
    return this.#step === Step.StartingTls;
  }

  start(): void {
    this.#peer.send(greeting());
  }

  /** Takes what the client sent; answers how much of it: requests may follow in the same piece. */
  push(bytes: Buffer): number {
    let at = 0;
    while (this.#step !== Step.Over && this.#step !== Step.StartingTls) {
      if (this.#step === Step.Skip) {
        const skipped = Math.min(this.#skipBytes, bytes.length - at);
        at += skipped;
        this.#skipBytes -= skipped;
        if (this.#skipBytes > 0) break;
        this.#await(Step.OptionHeader, OPTION_HEADER_BYTES);
        continue;
      }
      const copied = bytes.copy(this.#piece, this.#pieceFilled, at);
      at += copied;
      this.#pieceFilled += copied;
      if (this.#pieceFilled < this.#piece.length) break;
      this.#advance(this.#piece);
    }
    return at;
  }

  reply(type: number, data?: Uint8Array): void {
    this.#peer.send(optionReply(this.#option, type, data));
  }

  send(bytes: Uint8Array): void {
    this.#peer.send(bytes);
  }

  startTls(): void {
    this.dialect = Dialect.Simple;
    this.selection = NOTHING_SELECTED;
    this.measured = null;
    this.#step = Step.StartingTls;
    this.#peer.startTls(optionReply(this.#option, OptionReply.Ack));
  }

  /** TLS stands: the client goes on with options. */
  secured(): void {
    this.#isSecure = true;
    this.#await(Step.OptionHeader, OPTION_HEADER_BYTES);
  }

  begin(entry: NbdExport, name: string, described: ExportInfo): void {
    // What was selected for another export is worth nothing here.
    if (this.selection.exportName !== name) this.selection = NOTHING_SELECTED;
    this.#step = Step.Over;
    this.#chosen = entry;
    this.#described = described;
  }

  close(reason: string): void {
    this.#step = Step.Over;
    this.#peer.close(reason);
  }

  #await(step: Step, pieceBytes: Bytes): void {
    this.#step = step;
    this.#piece = Buffer.alloc(pieceBytes);
    this.#pieceFilled = 0;
  }

  #advance(piece: Buffer): void {
    if (this.#step === Step.ClientFlags) this.#takeClientFlags(piece.readUInt32BE(0));
    else if (this.#step === Step.OptionHeader) this.#takeOptionHeader(piece);
    else this.#answer(piece);
  }

  #takeClientFlags(flags: number): void {
    const known = HandshakeFlag.FixedNewstyle | HandshakeFlag.NoZeroes;
    if (flags > known) {
      this.close("sent client flags that nobody knows");
      return;
    }
    this.#noZeroes = (flags & HandshakeFlag.NoZeroes) !== 0;
    this.#await(Step.OptionHeader, OPTION_HEADER_BYTES);
  }

  #takeOptionHeader(header: Buffer): void {
    if (header.readUInt32BE(0) !== OPTION_MAGIC[0] || header.readUInt32BE(4) !== OPTION_MAGIC[1]) {
      this.close("sent an option without its magic");
      return;
    }
    this.#option = header.readUInt32BE(8);
    const dataBytes = header.readUInt32BE(12);
    this.#optionCount += 1;
    if (this.#optionCount > this.#optionsMax()) this.close("sent too many options");
    else if (dataBytes > SKIPPED_BYTES_MAX) this.close("sent an option that is far too long");
    else if (this.#mustBeSecure()) this.#demandTls(dataBytes);
    else if (!this.#isKnown()) {
      this.reply(OptionReply.ErrUnsupported, replyText("this option is not supported"));
      this.#skip(dataBytes);
    } else if (dataBytes > this.#dataBytesMax()) this.#refuseLong(dataBytes);
    else if (dataBytes === 0) this.#answer(Buffer.alloc(0));
    else this.#await(Step.OptionData, dataBytes);
  }

  /** Who lists all exports asks for the information of each, for its contexts, and for those of some kind. */
  #optionsMax(): number {
    const toListAll = OPTIONS_AROUND_LIST + OPTIONS_PER_EXPORT * this.exports.size;
    return Math.max(this.#limits.optionsMax, toListAll);
  }

  #mustBeSecure(): boolean {
    if (this.#tls !== TlsMode.Required || this.#isSecure) return false;
    return this.#option !== Option.StartTls && this.#option !== Option.Abort;
  }

  #demandTls(dataBytes: Bytes): void {
    if (this.#option === Option.ExportName) {
      this.close("asked for an export without TLS");
      return;
    }
    this.reply(OptionReply.ErrTlsRequired, replyText("this server wants TLS: send STARTTLS first"));
    this.#skip(dataBytes);
  }

  #isKnown(): boolean {
    if (this.#option === Option.StartTls && this.#tls === TlsMode.Off) return false;
    return OPTION_HANDLERS.has(this.#option) && !isOptionDisabled(this.#option, this.disabled);
  }

  /** EXPORT_NAME consists of a name alone. */
  #dataBytesMax(): Bytes {
    return this.#option === Option.ExportName ? STRING_BYTES_MAX : OPTION_BYTES_MAX;
  }

  #refuseLong(dataBytes: Bytes): void {
    if (this.#option === Option.ExportName) {
      this.close("asked for an export by too long a name");
      return;
    }
    this.reply(OptionReply.ErrTooBig, replyText("this option is too long"));
    this.#skip(dataBytes);
  }

  #skip(bytes: Bytes): void {
    this.#step = Step.Skip;
    this.#skipBytes = bytes;
  }

  #answer(data: Buffer): void {
    this.#await(Step.OptionHeader, OPTION_HEADER_BYTES);
    OPTION_HANDLERS.get(this.#option)?.(data, this);
  }
}
