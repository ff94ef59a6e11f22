import type { Socket } from "node:net";
import { createServer, type Server, type TLSSocket, type TlsOptions } from "node:tls";
import { BlockError } from "@blkstack/block";
import { TlsMode } from "./handshake.ts";
import { OLDEST_TLS, PSK_CIPHERS, tlsReason } from "./tls-rules.ts";

/** A server that shows a certificate; texts in PEM. */
export interface CertificateTls {
  readonly certificate: string;
  readonly key: string;
  /** Who signs the certificates of clients; absent: clients show none, and anybody is served. */
  readonly clientAuthorities?: string;
  /** Which of those were revoked. */
  readonly revoked?: string;
}

/** A server that shares a key with each of its users. */
export interface PskTls {
  readonly keys: ReadonlyMap<string, Uint8Array>;
}

/** With what a server speaks TLS, and with whom. */
export type ServerTls = (CertificateTls | PskTls) & {
  /** Whether clients that ask for no TLS are told of nothing. Default: true. */
  readonly isRequired?: boolean;
};

/** What becomes of a client that wants TLS; one of these is called, once. */
export interface TlsOutcome {
  secured(socket: TLSSocket): void;
  failed(reason: string): void;
}

/** Certificates or keys, and who speaks TLS with them. */
interface Identity {
  readonly options: TlsOptions;
  /** Servers that never listen. Each sees to one client at a time, to know whom it speaks of. */
  readonly idle: Server[];
}

/** Makes accepted connections secure. */
export class TlsAcceptor {
  readonly mode: TlsMode;
  #identity: Identity;

  /** Throws a BlockError, `BLK_DEVICE`, for certificates and keys that are none. */
  constructor(tls: ServerTls) {
    this.mode = tls.isRequired === false ? TlsMode.Offered : TlsMode.Required;
    this.#identity = identityOf(tls);
  }

  /**
   * Others, for whoever asks for TLS from then on. Answers what puts them to use; whether TLS must be
   * spoken stays as it is. Throws as the constructor.
   */
  prepare(tls: ServerTls): () => void {
    const identity = identityOf(tls);
    return () => {
      this.#identity = identity;
    };
  }

  /** Begins with TLS on a socket that nobody reads. Whoever destroys that socket ends it. */
  accept(socket: Socket, outcome: TlsOutcome): void {
    const { idle, options } = this.#identity;
    const server = idle.pop() ?? createServer(options);
    const release = (): void => {
      server.removeAllListeners("secureConnection").removeAllListeners("tlsClientError");
      idle.push(server);
    };
    server.once("secureConnection", (secured) => {
      release();
      secured.allowHalfOpen = allowHalfOpen;
      outcome.secured(secured);
    });
    server.once("tlsClientError", (error, failed) => {
      release();
      // Typed as an error; it is the name of one, and null when the certificate was not looked at.
      const { authorizationError: why } = failed as { authorizationError: unknown };
      outcome.failed(typeof why === "string" ? why : tlsReason(error));
    });
    // In the middle of a handshake there is nothing to be said to whoever has gone.
    const { allowHalfOpen } = socket;
    socket.allowHalfOpen = false;
    server.emit("connection", socket);
  }
}

/** Throws a BlockError for certificates and keys that are none. */
function identityOf(tls: ServerTls): Identity {
  const options = optionsOf(tls);
  try {
    return { options, idle: [createServer(options)] };
  } catch (error) {
    const message = `TLS cannot be spoken with this certificate and key: ${tlsReason(error)}`;
    throw new BlockError("BLK_DEVICE", "EINVAL", message, { cause: error });
  }
}

function optionsOf(tls: ServerTls): TlsOptions {
  // Whoever negotiates for too long is closed by the connection, TLS and all.
  const common = { minVersion: OLDEST_TLS, handshakeTimeout: 0 } as const;
  if ("keys" in tls) {
    const { keys } = tls;
    return {
      ...common,
      ciphers: PSK_CIPHERS,
      ca: [],
      pskCallback: (_socket, user) => keys.get(user) ?? null,
    };
  }
  const { certificate, key, clientAuthorities, revoked } = tls;
  return {
    ...common,
    cert: certificate,
    key,
    ca: clientAuthorities ?? [],
    requestCert: clientAuthorities !== undefined,
    rejectUnauthorized: clientAuthorities !== undefined,
    ...(revoked === undefined ? {} : { crl: revoked }),
  };
}
