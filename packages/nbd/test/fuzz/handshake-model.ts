import { Info, Option, OptionReply, TransmissionFlag } from "../../src/wire.ts";

/** An export as far as clients can tell. */
export interface ModelExport {
  readonly name: string;
  readonly sizeBytes: number;
  readonly blockBytes: number;
  readonly isReadOnly: boolean;
  readonly isDefault: boolean;
  readonly keepsBlockSize: boolean;
}

/** What must come next from the server: one of these types, and these bytes where they are known. */
export interface OptionAnswer {
  readonly option: number;
  readonly types: readonly number[];
  readonly dataBegins?: Buffer;
}

export type Dialect = "simple" | "structured" | "extended";

/** Whether clients may, or must, ask for TLS. */
export type TlsOffer = "none" | "offered" | "required";

/**
 * `open`: more may come. `chosen`: requests follow. `tls`: so does TLS. `closed`: the server closes
 * once it has said what it owes; `broken`: at once.
 */
export type HandshakeEnd = "open" | "chosen" | "tls" | "closed" | "broken";

const OPTIONS_MAX = 32;
const OPTION_BYTES_MAX = 4 + 4096 + 2 + 2 * 65_535;
const SKIPPED_BYTES_MAX = 1024 * 1024;
const TEXT_BYTES_MAX = 4096;
const CONTEXTS: ReadonlyMap<string, number> = new Map([
  ["base:allocation", 1],
  ["blkstack:layer", 2],
]);
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const BAD = [OptionReply.ErrInvalid, OptionReply.ErrTooBig];

/** What a server must answer in the negotiation, said a second time and without a thought of speed. */
export class HandshakeModel {
  readonly answers: OptionAnswer[] = [];
  end: HandshakeEnd = "open";
  dialect: Dialect = "simple";
  /** The contexts that BLOCK_STATUS tells of, for the export that they were chosen for. */
  contexts: readonly number[] = [];
  chosen: ModelExport | null = null;
  /** Whether the client must keep to the block size of what it chose. */
  isMeasured = false;
  /** The answer to EXPORT_NAME, which is no option reply. */
  exportNameAnswer: Buffer | null = null;
  readonly #exports: readonly ModelExport[];
  readonly #tls: TlsOffer;
  #contextsFor = "";
  #measured: ModelExport | null = null;
  #hasFlags = false;
  #noZeroes = false;
  #isSecure = false;
  #count = 0;

  constructor(exports: readonly ModelExport[], tls: TlsOffer) {
    this.#exports = exports;
    this.#tls = tls;
  }

  /** Takes all that a client says in clear, or through TLS; answers how much of it belongs here. */
  take(bytes: Buffer): number {
    let at = 0;
    if (!this.#hasFlags) {
      if (bytes.length < 4) return bytes.length;
      this.#hasFlags = true;
      const flags = bytes.readUInt32BE(0);
      if (flags > 3) this.end = "closed";
      this.#noZeroes = (flags & 2) !== 0;
      at = 4;
    }
    while (this.end === "open" && at < bytes.length) at = this.#option(bytes, at);
    return at;
  }

  /** Options that came, answered or not. */
  get optionCount(): number {
    return this.#count;
  }

  secured(): void {
    this.#isSecure = true;
    this.end = "open";
  }

  #option(bytes: Buffer, at: number): number {
    if (at + 16 > bytes.length) return bytes.length;
    const dataAt = at + 16;
    if (bytes.toString("latin1", at, at + 8) !== "IHAVEOPT") {
      this.end = "closed";
      return dataAt;
    }
    const option = bytes.readUInt32BE(at + 8);
    const length = bytes.readUInt32BE(at + 12);
    this.#count += 1;
    if (this.#count > OPTIONS_MAX || length > SKIPPED_BYTES_MAX) {
      this.end = "closed";
      return dataAt;
    }
    if (this.#mustBeSecure(option)) {
      // It has no other answer.
      if (option === Option.ExportName) this.end = "closed";
      else this.#say(option, OptionReply.ErrTlsRequired);
      return Math.min(bytes.length, dataAt + length);
    }
    const isKnown = (Object.values(Option) as number[]).includes(option);
    if (!isKnown || (option === Option.StartTls && this.#tls === "none")) {
      this.#say(option, OptionReply.ErrUnsupported);
    } else if (option === Option.ExportName && length > TEXT_BYTES_MAX) {
      this.end = "closed";
    } else if (length > OPTION_BYTES_MAX) {
      this.#say(option, OptionReply.ErrTooBig);
    } else if (dataAt + length <= bytes.length) {
      this.#answer(option, bytes.subarray(dataAt, dataAt + length));
    }
    return Math.min(bytes.length, dataAt + length);
  }

  #mustBeSecure(option: number): boolean {
    if (this.#tls !== "required" || this.#isSecure) return false;
    return option !== Option.StartTls && option !== Option.Abort;
  }

  #say(option: number, ...types: readonly number[]): void {
    this.answers.push({ option, types });
  }

  #answer(option: number, data: Buffer): void {
    if (option === Option.ExportName) this.#exportName(data);
    else if (option === Option.Abort) {
      this.#say(option, OptionReply.Ack);
      this.end = "closed";
    } else if (option === Option.List) this.#list(data);
    else if (option === Option.StartTls) this.#startTls(data);
    else if (option === Option.Info || option === Option.Go) this.#info(option, data);
    else if (option === Option.StructuredReply || option === Option.ExtendedHeaders) {
      this.#agree(option, data);
    } else this.#meta(option, data);
  }

  #find(name: string): ModelExport | undefined {
    const exports = this.#exports;
    return (
      exports.find((each) => each.name === name) ??
      (name === "" ? exports.find(({ isDefault }) => isDefault) : undefined)
    );
  }

  #exportName(data: Buffer): void {
    const name = textOf(data);
    const entry = name === null ? undefined : this.#find(name);
    if (name === null || entry === undefined || this.dialect === "extended") {
      this.end = "closed";
      return;
    }
    const answer = Buffer.alloc(this.#noZeroes ? 10 : 134);
    this.#describe(entry, name).copy(answer);
    this.exportNameAnswer = answer;
    this.#choose(entry, name);
  }

  #list(data: Buffer): void {
    if (data.length > 0) {
      this.#say(Option.List, ...BAD);
      return;
    }
    for (const { name } of this.#exports) {
      const dataBegins = Buffer.concat([u32(Buffer.byteLength(name)), Buffer.from(name)]);
      this.answers.push({ option: Option.List, types: [OptionReply.Server], dataBegins });
    }
    this.#say(Option.List, OptionReply.Ack);
  }

  #startTls(data: Buffer): void {
    if (data.length > 0 || this.#isSecure) {
      this.#say(Option.StartTls, OptionReply.ErrInvalid);
      return;
    }
    this.#say(Option.StartTls, OptionReply.Ack);
    this.end = "tls";
    this.dialect = "simple";
    this.contexts = [];
    this.#measured = null;
  }

  #info(option: number, data: Buffer): void {
    const fields = new Fields(data);
    const name = fields.text();
    const count = fields.number(2);
    const kinds = new Set<number>();
    for (let index = 0; index < count && fields.isRight; index += 1) kinds.add(fields.number(2));
    if (name === null || !fields.isDone) {
      this.#say(option, ...BAD);
      return;
    }
    const entry = this.#find(name);
    if (entry === undefined) {
      this.#say(option, OptionReply.ErrUnknown);
      return;
    }
    if (kinds.has(Info.BlockSize)) this.#measured = entry;
    const dataBegins = Buffer.concat([Buffer.alloc(2), this.#describe(entry, name)]);
    this.answers.push({ option, types: [OptionReply.Info], dataBegins });
    for (const kind of kinds) {
      if (kind !== Info.Name && kind !== Info.BlockSize) continue;
      const begins = Buffer.concat([u32(kind).subarray(2)]);
      this.answers.push({ option, types: [OptionReply.Info], dataBegins: begins });
    }
    this.#say(option, OptionReply.Ack);
    if (option === Option.Go) this.#choose(entry, name);
  }

  #agree(option: number, data: Buffer): void {
    const wanted = option === Option.StructuredReply ? "structured" : "extended";
    if (data.length > 0) this.#say(option, OptionReply.ErrInvalid);
    else if (this.dialect === wanted) this.#say(option, OptionReply.ErrInvalid);
    else if (this.dialect === "extended") this.#say(option, OptionReply.ErrExtendedHeaders);
    else {
      this.dialect = wanted;
      this.#say(option, OptionReply.Ack);
    }
  }

  #meta(option: number, data: Buffer): void {
    if (option === Option.SetMetaContext) this.contexts = [];
    if (this.dialect === "simple") {
      this.#say(option, OptionReply.ErrInvalid);
      return;
    }
    const fields = new Fields(data);
    const name = fields.text();
    const count = fields.number(4);
    const queries: string[] = [];
    for (let index = 0; index < count && fields.isRight; index += 1) {
      queries.push(fields.text() ?? "");
    }
    if (name === null || !fields.isDone) {
      this.#say(option, ...BAD);
      return;
    }
    if (this.#find(name) === undefined) {
      this.#say(option, OptionReply.ErrUnknown);
      return;
    }
    const isListing = option === Option.ListMetaContext;
    const ids = [...CONTEXTS].flatMap(([context, id]) => {
      const namespace = context.replace(/:.*/, ":");
      const isAsked = queries.includes(context) || (isListing && queries.includes(namespace));
      return isAsked || (isListing && queries.length === 0) ? [id] : [];
    });
    for (const id of ids) {
      this.answers.push({ option, types: [OptionReply.MetaContext], dataBegins: u32(id) });
    }
    this.#say(option, OptionReply.Ack);
    if (isListing) return;
    this.contexts = ids;
    this.#contextsFor = name;
  }

  /** Size and flags. */
  #describe(entry: ModelExport, name: string): Buffer {
    const flag = TransmissionFlag;
    let flags = flag.HasFlags | flag.SendFlush | flag.SendFua | flag.CanMultiConn | flag.SendCache;
    if (this.dialect !== "simple") flags |= flag.SendDontFragment;
    const hasContexts = this.contexts.length > 0 && this.#contextsFor === name;
    if (this.dialect === "extended" && hasContexts) flags |= flag.BlockStatusPayload;
    flags |= entry.isReadOnly
      ? flag.ReadOnly
      : flag.SendTrim | flag.SendWriteZeroes | flag.SendFastZero;
    const bytes = Buffer.alloc(10);
    bytes.writeBigUInt64BE(BigInt(entry.sizeBytes));
    bytes.writeUInt16BE(flags, 8);
    return bytes;
  }

  #choose(entry: ModelExport, name: string): void {
    if (this.#contextsFor !== name) this.contexts = [];
    this.isMeasured = this.#measured === entry;
    this.chosen = entry;
    this.end = "chosen";
  }
}

/** Reads the fields of an option until one of them is wrong. */
class Fields {
  isRight = true;
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isDone(): boolean {
    return this.isRight && this.#at === this.#bytes.length;
  }

  number(bytes: 2 | 4): number {
    this.isRight &&= this.#at + bytes <= this.#bytes.length;
    if (!this.isRight) return 0;
    this.#at += bytes;
    return this.#bytes.readUIntBE(this.#at - bytes, bytes);
  }

  text(): string | null {
    const length = this.number(4);
    const bytes = this.#bytes.subarray(this.#at, this.#at + length);
    const text = bytes.length === length ? textOf(bytes) : null;
    this.isRight &&= text !== null;
    this.#at += length;
    return text;
  }
}

/** Null: these bytes are no name. */
function textOf(bytes: Buffer): string | null {
  if (bytes.length > TEXT_BYTES_MAX || bytes.includes(0)) return null;
  try {
    return UTF8.decode(bytes);
  } catch {
    return null;
  }
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
