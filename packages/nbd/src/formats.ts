import { structuredReplies } from "./chunk-format.ts";
import { Dialect } from "./dialect.ts";
import { type ReplyFormat, simpleReplies } from "./reply-format.ts";

/** How replies of a dialect are laid out. */
export function formatOf(dialect: Dialect): ReplyFormat {
  return dialect === Dialect.Simple ? simpleReplies : structuredReplies;
}
