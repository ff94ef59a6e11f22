import { BlockError } from "@blkstack/block";
import { StackError } from "@blkstack/stack";
import { CommanderError } from "commander";

/** What the user asked for cannot be; the message is one line that says why, and what would do. */
export class UserError extends Error {
  override readonly name = "UserError";
}

/** The line for an error that the user can do something about; undefined for a defect of ours. */
export function userMessage(error: unknown): string | undefined {
  if (error instanceof CommanderError && error.code === "commander.help") {
    return "no command; see blkstack --help";
  }
  if (error instanceof CommanderError) return oneLine(error.message.replace(/^error: /, ""));
  const isOurs = error instanceof UserError || error instanceof StackError;
  if (isOurs || error instanceof BlockError || isSystemError(error)) return oneLine(error.message);
  return undefined;
}

/** Whether the system refused a call: a file that is not there, an address that is in use. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error && "errno" in error;
}

function oneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, " ");
}
