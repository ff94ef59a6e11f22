import { extendedReplies, structuredReplies } from "./chunk-format.ts";
import { Dialect } from "./dialect.ts";
import { type ReplyFormat, simpleReplies } from "./reply-format.ts";
import { compactRequests, extendedRequests, type RequestFormat } from "./request-format.ts";

/** How requests of a dialect lie in what the client sends. */
export function requestFormatOf(dialect: Dialect): RequestFormat {
  return dialect === Dialect.Extended ? extendedRequests : compactRequests;
}

/** How replies of a dialect are laid out. */
export function formatOf(dialect: Dialect): ReplyFormat {
  if (dialect === Dialect.Extended) return extendedReplies;
  return dialect === Dialect.Simple ? simpleReplies : structuredReplies;
}
