import { StackError } from "./stack-error.ts";

/** A place in a text; both count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** The way to a part: `["disks", "base", "size"]`; a table's lines are numbered from 0. */
export type PartPath = readonly (string | number)[];

/** Which place of the file a part of the description came from. */
export interface StackSource {
  readonly fileName: string;
  /** The place of the part's value, or of its name; else of the nearest part around it. */
  position(path: PartPath, of?: "name" | "value"): Position | undefined;
}

/** A complaint about the value of one part of a stack file. */
export function errorAt(source: StackSource, path: PartPath, message: string): StackError {
  return new StackError(source.fileName, source.position(path), message);
}

/** A complaint about the name of one part. */
export function errorAtName(source: StackSource, path: PartPath, message: string): StackError {
  return new StackError(source.fileName, source.position(path, "name"), message);
}

/** The source of a description that no file says: complaints come without a place. */
export const NO_FILE: StackSource = { fileName: "", position: () => undefined };
