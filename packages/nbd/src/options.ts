import { Dialect } from "./dialect.ts";
import {
  type Agreement,
  describeExport,
  type ExportInfo,
  type ExportTable,
  type NbdExport,
} from "./export.ts";
import {
  exportNameAnswer,
  infoBlockSize,
  infoExport,
  infoText,
  listItem,
  replyText,
} from "./option-reply.ts";
import { Info, Option, OptionReply, STRING_BYTES_MAX } from "./wire.ts";

/** What an option can do to the session that it is part of. */
export interface OptionSession extends Agreement {
  readonly exports: ExportTable;
  readonly noZeroes: boolean;
  dialect: Dialect;
  /** Sends one reply to the option being answered. */
  reply(type: number, data?: Uint8Array): void;
  /** Sends bytes that are no option reply. */
  send(bytes: Uint8Array): void;
  /** Ends the negotiation: requests follow. */
  begin(entry: NbdExport): void;
  close(reason: string): void;
}

export type OptionHandler = (data: Buffer, session: OptionSession) => void;

/** The options that are understood; all others are refused, in step. */
export const OPTION_HANDLERS: ReadonlyMap<number, OptionHandler> = new Map([
  [Option.ExportName, exportName],
  [Option.Abort, abort],
  [Option.List, list],
  [Option.Info, info],
  [Option.Go, go],
  [Option.StructuredReply, structuredReply],
]);

function exportName(data: Buffer, session: OptionSession): void {
  const name = decodeName(data);
  const entry = name === null ? undefined : session.exports.find(name);
  if (entry === undefined) {
    session.close("asked for an export that is not there");
    return;
  }
  const described = describeExport(entry, session);
  session.send(exportNameAnswer(described, session.noZeroes));
  session.begin(entry);
}

function abort(_data: Buffer, session: OptionSession): void {
  session.reply(OptionReply.Ack);
  session.close("aborted the negotiation");
}

function list(data: Buffer, session: OptionSession): void {
  if (data.length > 0) {
    session.reply(OptionReply.ErrInvalid, replyText("LIST takes no data"));
    return;
  }
  for (const entry of session.exports.values()) session.reply(OptionReply.Server, listItem(entry));
  session.reply(OptionReply.Ack);
}

function info(data: Buffer, session: OptionSession): void {
  answerInfo(data, session);
}

function go(data: Buffer, session: OptionSession): void {
  const entry = answerInfo(data, session);
  if (entry !== null) session.begin(entry);
}

function structuredReply(data: Buffer, session: OptionSession): void {
  if (data.length > 0) {
    session.reply(OptionReply.ErrInvalid, replyText("STRUCTURED_REPLY takes no data"));
  } else if (session.dialect !== Dialect.Simple) {
    session.reply(OptionReply.ErrInvalid, replyText("replies are structured already"));
  } else {
    session.dialect = Dialect.Structured;
    session.reply(OptionReply.Ack);
  }
}

function answerInfo(data: Buffer, session: OptionSession): NbdExport | null {
  const query = parseQuery(data);
  if (typeof query === "string") {
    const type = query === TOO_LONG ? OptionReply.ErrTooBig : OptionReply.ErrInvalid;
    session.reply(type, replyText(query));
    return null;
  }
  const entry = session.exports.find(query.name);
  if (entry === undefined) {
    session.reply(OptionReply.ErrUnknown, replyText(`no export is called "${query.name}"`));
    return null;
  }
  const described = describeExport(entry, session);
  session.reply(OptionReply.Info, infoExport(described));
  for (const kind of query.kinds) sendInfo(kind, entry, described, session);
  session.reply(OptionReply.Ack);
  return entry;
}

function sendInfo(
  kind: number,
  entry: NbdExport,
  described: ExportInfo,
  session: OptionSession,
): void {
  if (kind === Info.Name) session.reply(OptionReply.Info, infoText(kind, entry.name));
  if (kind === Info.BlockSize) session.reply(OptionReply.Info, infoBlockSize(described));
  if (kind === Info.Description && entry.description !== undefined) {
    session.reply(OptionReply.Info, infoText(kind, entry.description));
  }
}

const TOO_LONG = `a name is at most ${String(STRING_BYTES_MAX)} bytes long`;
const INCOMPLETE = "the option is not as long as it says";

/** Name and kinds of information, each once; or what is wrong. */
function parseQuery(data: Buffer): { name: string; kinds: Set<number> } | string {
  if (data.length < 6) return INCOMPLETE;
  const nameBytes = data.readUInt32BE(0);
  if (nameBytes > data.length - 6) return INCOMPLETE;
  if (nameBytes > STRING_BYTES_MAX) return TOO_LONG;
  const name = decodeName(data.subarray(4, 4 + nameBytes));
  if (name === null) return "the name is not UTF-8 without NUL";
  const count = data.readUInt16BE(4 + nameBytes);
  const kindsAt = 6 + nameBytes;
  if (data.length !== kindsAt + 2 * count) return INCOMPLETE;
  const kinds = new Set<number>();
  for (let at = kindsAt; at < data.length; at += 2) kinds.add(data.readUInt16BE(at));
  return { name, kinds };
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodeName(bytes: Buffer): string | null {
  if (bytes.length > STRING_BYTES_MAX || bytes.includes(0)) return null;
  try {
    return UTF8.decode(bytes);
  } catch {
    return null;
  }
}
