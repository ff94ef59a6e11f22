import { connect } from "node:net";
import { resolve } from "node:path";
import { isSystemError, UserError } from "../user-error.ts";
import type { Answer } from "./answer.ts";

/** A request: its verb, `dm suspend`, and the fields that the verb knows. */
export type Request = { readonly verb: string } & Readonly<Record<string, unknown>>;

/** Asks the server that listens on the socket. Throws a UserError when there is none, or it goes away. */
export async function ask(path: string, cwd: string, request: Request): Promise<Answer> {
  let received = "";
  try {
    const socket = connect(resolve(cwd, path));
    socket.setEncoding("utf8");
    socket.write(`${JSON.stringify(request)}\n`);
    for await (const text of socket) {
      received += String(text);
      if (received.endsWith("\n")) break;
    }
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if (received === "") {
      const message = `no server answers on ${path} (${error.code ?? error.message}); start one with serve --control`;
      throw new UserError(message);
    }
  }
  if (!received.endsWith("\n")) throw new UserError(`the server on ${path} went away`);
  return JSON.parse(received) as Answer;
}
