import type { Position } from "./stack-source.ts";

/**
 * The stack is wrong: the message is one line, `file:line:column: what is wrong`; without a place
 * when no file says the stack.
 *
 * `code` is `BLK_STACK`, always.
 */
export class StackError extends Error {
  override readonly name = "StackError";
  readonly code = "BLK_STACK";
  readonly fileName: string;
  readonly at: Position | undefined;

  constructor(fileName: string, at: Position | undefined, message: string, options?: ErrorOptions) {
    const oneLine = message.replace(/\s*\n\s*/g, " ");
    const place = at === undefined ? "" : `${fileName}:${String(at.line)}:${String(at.column)}: `;
    super(`${place}${oneLine}`, options);
    this.fileName = fileName;
    this.at = at;
  }
}
