/**
 * What went wrong between an NBD client and its server; stable, for programs to test.
 *
 * - `NBD_REFUSED`: the server does not want to serve the export.
 * - `NBD_PROTOCOL`: the server said something that NBD does not allow.
 * - `NBD_CLOSED`: the connection ended before the answer came.
 * - `NBD_TLS`: the connection cannot be made secure, or not with who is there.
 * - `NBD_REPLY`: a request was answered with an error; `errno` has its number.
 */
export type NbdErrorCode = "NBD_REFUSED" | "NBD_PROTOCOL" | "NBD_CLOSED" | "NBD_TLS" | "NBD_REPLY";

export class NbdError extends Error {
  override readonly name = "NbdError";
  readonly code: NbdErrorCode;
  /** The protocol's error number: 5 is EIO, 28 is ENOSPC; 0 if there is none. */
  readonly errno: number;

  constructor(code: NbdErrorCode, message: string, errno = 0) {
    super(message);
    this.code = code;
    this.errno = errno;
  }
}

export function protocolError(message: string): NbdError {
  return new NbdError("NBD_PROTOCOL", message);
}
