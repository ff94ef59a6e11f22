import type { Socket } from "node:net";
import { join } from "node:path";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { NbdError } from "./client-error.ts";
import { parsePskKeys, readIfThere, readTlsFile } from "./tls-files.ts";
import { OLDEST_TLS, PSK_CIPHERS, tlsReason } from "./tls-rules.ts";

/** How a client makes sure of its server, in the words of `nbds://` URIs. */
export interface ClientTls {
  /**
   * A folder with `ca-cert.pem`, who signs the server's certificate, perhaps `ca-crl.pem`, and, for
   * servers that want to see a client's, `client-cert.pem` and `client-key.pem`. Default: whoever
   * Node.js trusts.
   */
  readonly certificates?: string;
  /** A file with a line `user:key` for each user; then no certificates are looked at. */
  readonly pskFile?: string;
  /** Whose key of `pskFile` it is. Default: of a file with one line, that one's. */
  readonly user?: string;
  /** The name in the server's certificate. Default: the host, or localhost for a unix socket. */
  readonly hostname?: string;
  /** False: whatever certificate the server shows will do, and whoever is in between can read all. */
  readonly isPeerVerified?: boolean;
}

/**
 * Reads the files that TLS needs. Waits: for the system. Throws a BlockError, `BLK_DEVICE`, for a file
 * that is missing or wrong.
 */
export async function readClientTls(tls: ClientTls, host: string): Promise<ConnectionOptions> {
  if (tls.pskFile !== undefined) return pskOptions(tls, tls.pskFile);
  const hostname = tls.hostname ?? host;
  const { certificates: folder, isPeerVerified = true } = tls;
  const options = {
    minVersion: OLDEST_TLS,
    // Names that are compared; a name in the first message of TLS must be no number.
    host: hostname,
    ...(/^[\d.]+$|:/.test(hostname) ? {} : { servername: hostname }),
    rejectUnauthorized: isPeerVerified,
  } as const;
  if (folder === undefined) return options;
  const ca = await readTlsFile(join(folder, "ca-cert.pem"));
  const crl = await readIfThere(join(folder, "ca-crl.pem"));
  const revoked = crl === null ? {} : { crl };
  const cert = await readIfThere(join(folder, "client-cert.pem"));
  if (cert === null) return { ...options, ca, ...revoked };
  return {
    ...options,
    ca,
    ...revoked,
    cert,
    key: await readTlsFile(join(folder, "client-key.pem")),
  };
}

async function pskOptions(tls: ClientTls, pskFile: string): Promise<ConnectionOptions> {
  const keys = parsePskKeys(await readTlsFile(pskFile), pskFile);
  const [only] = keys.size === 1 ? keys.keys() : [];
  const identity = tls.user ?? only ?? "";
  const psk = keys.get(identity);
  if (psk === undefined) {
    throw new NbdError("NBD_TLS", `${pskFile} has no key for the user "${identity}"`);
  }
  return {
    minVersion: OLDEST_TLS,
    ciphers: PSK_CIPHERS,
    pskCallback: () => ({ identity, psk }),
    // A server that proves itself by a certificate instead does not know the key.
    ca: [],
    checkServerIdentity: (_host, certificate) =>
      Object.keys(certificate).length === 0
        ? undefined
        : new Error("the server shows a certificate where a shared key was agreed on"),
  };
}

/**
 * Speaks TLS on a socket that nobody reads any more. Waits: for the server. Throws NbdError `NBD_TLS`
 * when the server is not who it should be, or does not want us.
 */
export function startTls(socket: Socket, options: ConnectionOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const refuse = (error: Error): void => {
      socket.destroy();
      reject(new NbdError("NBD_TLS", `TLS failed: ${tlsReason(error)}`));
    };
    let secured: TLSSocket;
    try {
      secured = connect({ ...options, socket });
    } catch (error) {
      refuse(error as Error);
      return;
    }
    const closed = (): void => {
      refuse(new Error("the server closed the connection"));
    };
    secured.once("error", refuse);
    secured.once("close", closed);
    secured.once("secureConnect", () => {
      secured.off("error", refuse).off("close", closed);
      resolve(secured);
    });
  });
}
