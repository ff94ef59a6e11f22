import { Dialect } from "./dialect.ts";
import {
  type Agreement,
  describeExport,
  type ExportInfo,
  type ExportTable,
  type NbdExport,
} from "./export.ts";
import {
  listed,
  type MetaContext,
  type MetaSelection,
  NOTHING_SELECTED,
  selected,
} from "./meta-context.ts";
import { BAD_OPTION_TEXTS, BadOption, decodeText, OptionData } from "./option-data.ts";
import {
  exportNameAnswer,
  infoBlockSize,
  infoExport,
  infoText,
  listItem,
  metaContextItem,
  replyText,
} from "./option-reply.ts";
import { Info, Option, OptionReply } from "./wire.ts";

/** What an option can do to the session that it is part of. */
export interface OptionSession extends Agreement {
  readonly exports: ExportTable;
  readonly noZeroes: boolean;
  dialect: Dialect;
  selection: MetaSelection;
  /** The export whose block sizes were asked for last. */
  measured: NbdExport | null;
  /** Sends one reply to the option being answered. */
  reply(type: number, data?: Uint8Array): void;
  /** Sends bytes that are no option reply. */
  send(bytes: Uint8Array): void;
  /** Whether all that is said is said through TLS. */
  readonly isSecure: boolean;
  /** Answers, and forgets all that was agreed on: TLS comes next, and then more options. */
  startTls(): void;
  /** Ends the negotiation: requests follow. The name is the one that was asked for. */
  begin(entry: NbdExport, name: string, described: ExportInfo): void;
  close(reason: string): void;
}

export type OptionHandler = (data: Buffer, session: OptionSession) => void;

/** The options that are understood; all others are refused, in step. */
export const OPTION_HANDLERS: ReadonlyMap<number, OptionHandler> = new Map([
  [Option.ExportName, exportName],
  [Option.Abort, abort],
  [Option.List, list],
  [Option.StartTls, startTls],
  [Option.Info, info],
  [Option.Go, go],
  [Option.StructuredReply, structuredReply],
  [Option.ListMetaContext, listMetaContext],
  [Option.SetMetaContext, setMetaContext],
  [Option.ExtendedHeaders, extendedHeaders],
]);

function exportName(data: Buffer, session: OptionSession): void {
  const name = decodeText(data);
  const entry = name === null ? undefined : session.exports.find(name);
  if (entry === undefined) {
    session.close("asked for an export that is not there");
    return;
  }
  if (session.dialect === Dialect.Extended) {
    session.close("asked for an export in the old way after it had asked for extended headers");
    return;
  }
  const described = describeExport(entry, session, contextCountOf(name ?? "", session));
  session.send(exportNameAnswer(described, session.noZeroes));
  session.begin(entry, name ?? "", described);
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

function startTls(data: Buffer, session: OptionSession): void {
  if (data.length > 0) {
    session.reply(OptionReply.ErrInvalid, replyText("STARTTLS takes no data"));
  } else if (session.isSecure) {
    session.reply(OptionReply.ErrInvalid, replyText("this is TLS already"));
  } else {
    session.startTls();
  }
}

function info(data: Buffer, session: OptionSession): void {
  answerInfo(data, session);
}

function go(data: Buffer, session: OptionSession): void {
  const answered = answerInfo(data, session);
  if (answered !== null) session.begin(answered.entry, answered.name, answered.described);
}

function structuredReply(data: Buffer, session: OptionSession): void {
  if (data.length > 0) {
    session.reply(OptionReply.ErrInvalid, replyText("STRUCTURED_REPLY takes no data"));
  } else if (session.dialect === Dialect.Extended) {
    const why = "replies have extended headers, which are more";
    session.reply(OptionReply.ErrExtendedHeaders, replyText(why));
  } else if (session.dialect !== Dialect.Simple) {
    session.reply(OptionReply.ErrInvalid, replyText("replies are structured already"));
  } else {
    session.dialect = Dialect.Structured;
    session.reply(OptionReply.Ack);
  }
}

/** Includes all that structured replies are. */
function extendedHeaders(data: Buffer, session: OptionSession): void {
  if (data.length > 0) {
    session.reply(OptionReply.ErrInvalid, replyText("EXTENDED_HEADERS takes no data"));
  } else if (session.dialect === Dialect.Extended) {
    session.reply(OptionReply.ErrInvalid, replyText("headers are extended already"));
  } else {
    session.dialect = Dialect.Extended;
    session.reply(OptionReply.Ack);
  }
}

function listMetaContext(data: Buffer, session: OptionSession): void {
  answerMetaContext(data, session, listed);
}

/** Replaces what was selected before, also when it fails. */
function setMetaContext(data: Buffer, session: OptionSession): void {
  session.selection = NOTHING_SELECTED;
  session.selection = answerMetaContext(data, session, selected) ?? NOTHING_SELECTED;
}

function answerMetaContext(
  data: Buffer,
  session: OptionSession,
  choose: (queries: readonly string[]) => MetaContext[],
): MetaSelection | null {
  if (session.dialect === Dialect.Simple) {
    session.reply(OptionReply.ErrInvalid, replyText("ask for structured replies first"));
    return null;
  }
  const query = parseMetaQuery(data);
  if (typeof query === "number") {
    refuse(query, session);
    return null;
  }
  const { name, queries } = query;
  if (findExport(name, session) === undefined) return null;
  const contexts = choose(queries);
  for (const context of contexts) session.reply(OptionReply.MetaContext, metaContextItem(context));
  session.reply(OptionReply.Ack);
  return { exportName: name, contexts };
}

function answerInfo(
  data: Buffer,
  session: OptionSession,
): { entry: NbdExport; name: string; described: ExportInfo } | null {
  const query = parseQuery(data);
  if (typeof query === "number") {
    refuse(query, session);
    return null;
  }
  const entry = findExport(query.name, session);
  if (entry === undefined) return null;
  const described = describeExport(entry, session, contextCountOf(query.name, session));
  if (query.kinds.has(Info.BlockSize)) session.measured = entry;
  session.reply(OptionReply.Info, infoExport(described));
  for (const kind of query.kinds) sendInfo(kind, entry, described, session);
  session.reply(OptionReply.Ack);
  return { entry, name: query.name, described };
}

/** What was selected for another export is worth nothing here. */
function contextCountOf(name: string, { selection }: OptionSession): number {
  return selection.exportName === name ? selection.contexts.length : 0;
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

/** Name and kinds of information, each once; or what is wrong. */
function parseQuery(bytes: Buffer): { name: string; kinds: Set<number> } | BadOption {
  const data = new OptionData(bytes);
  const name = data.text();
  const count = data.uint16();
  const kinds = new Set<number>();
  for (let index = 0; index < count && data.bad === null; index += 1) kinds.add(data.uint16());
  data.end();
  return data.bad ?? { name, kinds };
}

/** The export and the names of contexts; or what is wrong. */
function parseMetaQuery(bytes: Buffer): { name: string; queries: string[] } | BadOption {
  const data = new OptionData(bytes);
  const name = data.text();
  const count = data.uint32();
  const queries: string[] = [];
  for (let index = 0; index < count && data.bad === null; index += 1) queries.push(data.text());
  data.end();
  return data.bad ?? { name, queries };
}

function refuse(bad: BadOption, session: OptionSession): void {
  const type = bad === BadOption.TooLong ? OptionReply.ErrTooBig : OptionReply.ErrInvalid;
  session.reply(type, replyText(BAD_OPTION_TEXTS[bad]));
}

function findExport(name: string, session: OptionSession): NbdExport | undefined {
  const entry = session.exports.find(name);
  if (entry === undefined) {
    session.reply(OptionReply.ErrUnknown, replyText(`no export is called "${name}"`));
  }
  return entry;
}
