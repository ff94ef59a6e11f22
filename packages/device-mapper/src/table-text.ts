import { TableError } from "./table-error.ts";

/**
 * One line of a table, as it was written. Counts are in sectors and exact: a table may name more
 * of them than a `number` can count.
 */
export interface TableLine {
  /** Where it stands in the text, from 1; comments and blank lines count. */
  readonly lineNumber: number;
  readonly begin: bigint;
  readonly length: bigint;
  readonly type: string;
  readonly args: readonly string[];
}

const UINT64_BITS = 64;
const UINT64_MAX = 2n ** 64n - 1n;
const LINE = /^(?<begin>[+-]?\d+)\s+(?<length>[+-]?\d+)\s+(?<rest>\S.*)$/;

/**
 * Reads the text of a table: `BEGIN LENGTH TYPE [ARGUMENT…]` on each line, blank lines and what
 * follows a `#` ignored. A backslash takes the next character as it is, also a blank.
 *
 * An empty text is no lines. Throws a `TableError` (EINVAL) for a line of another form.
 */
export function parseTable(text: string): TableLine[] {
  const lines: TableLine[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const written = raw.replace(/#.*/s, "").trim();
    if (written !== "") lines.push(parseLine(written, index + 1));
  }
  return lines;
}

function parseLine(written: string, lineNumber: number): TableLine {
  const groups = LINE.exec(written)?.groups;
  if (groups === undefined) {
    throw new TableError({
      errno: "EINVAL",
      lineNumber,
      message: `invalid format: "${written}" is not BEGIN LENGTH TYPE [ARGUMENT…]`,
    });
  }
  const { begin, length, rest } = groups as Record<"begin" | "length" | "rest", string>;
  const [type = "", ...args] = splitWords(rest);
  return { lineNumber, begin: uint64(begin), length: uint64(length), type, args };
}

/** As the C library reads it: a minus sign wraps around, too much is the most there is. */
function uint64(text: string): bigint {
  const value = BigInt(text.replace(/^[+-]/, ""));
  if (value > UINT64_MAX) return UINT64_MAX;
  return text.startsWith("-") ? BigInt.asUintN(UINT64_BITS, -value) : value;
}

/** Words between blanks; a backslash quotes the character behind it. */
export function splitWords(text: string): string[] {
  return (text.match(/(?:\\.?|[^\s\\])+/gsu) ?? []).map((word) =>
    word.replace(/\\(?<quoted>.)/gsu, "$<quoted>"),
  );
}
