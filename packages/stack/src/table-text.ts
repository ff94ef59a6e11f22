import { BlockError } from "@blkstack/block";
import { parseTable, TableError } from "@blkstack/device-mapper";
import { StackError } from "./stack-error.ts";
import { errorAt, type PartPath, type StackSource } from "./stack-source.ts";

/** Where the target stands in a line START LENGTH TARGET ARGUMENTS, from 0. */
export const TYPE_WORD = 2;

/** Every argument of every target of a table, of one that `checkTable` let through. */
export function tableArguments(table: string): string[] {
  return parseTable(table).flatMap(({ args }) => args);
}

/** Throws a StackError for text that is no table. */
export function checkTable(table: string, device: string, source: StackSource): void {
  let lineCount: number;
  try {
    lineCount = parseTable(table).length;
  } catch (error) {
    throw complaintOf(error, source, ["devices", device]);
  }
  if (lineCount > 0) return;
  const message =
    `device ${JSON.stringify(device)} has an empty table; ` +
    "it should have lines START LENGTH TARGET ARGUMENTS, as in 0 2048 linear base 0";
  throw errorAt(source, ["devices", device], message);
}

/**
 * What to throw for what went wrong with a part: told with its place, down to the argument of a
 * table, if it is the user's to mend; else as it is.
 */
export function complaintOf(error: unknown, source: StackSource, part: PartPath): unknown {
  if (!(error instanceof BlockError)) return error;
  const isTable = error instanceof TableError;
  const message = isTable ? `device ${JSON.stringify(part[1])}: ${error.message}` : error.message;
  const path = isTable ? [...part, ...placeInTable(error)] : part;
  return new StackError(source.fileName, source.position(path), message, { cause: error });
}

function placeInTable({ lineNumber, argumentNumber }: TableError): number[] {
  if (lineNumber === undefined) return [];
  const line = lineNumber - 1;
  return argumentNumber === undefined ? [line] : [line, TYPE_WORD + argumentNumber];
}
