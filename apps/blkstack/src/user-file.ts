import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { isSystemError, UserError } from "./user-error.ts";

/** Reads a text file that the user named; `what` it is to be is for complaints. */
export function readUserFile(what: string, fileName: string, cwd: string): Promise<string> {
  return readFile(resolve(cwd, fileName), "utf8").catch(
    refuse(`cannot read the ${what} ${fileName}`),
  );
}

/** Writes one likewise. */
export function writeUserFile(fileName: string, text: string, cwd: string): Promise<void> {
  return writeFile(resolve(cwd, fileName), text).catch(refuse(`cannot write ${fileName}`));
}

function refuse(what: string): (error: unknown) => never {
  return (error) => {
    if (!isSystemError(error)) throw error;
    // Of `ENOENT: no such file or directory, open '/x'` the middle is for people.
    const { reason } = /^\w+: (?<reason>[^,]*)/.exec(error.message)?.groups ?? {};
    throw new UserError(`${what}: ${reason ?? error.message}`);
  };
}
