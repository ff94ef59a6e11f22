import { isLoopback, type ListenAddress } from "./listen-address.ts";
import { UserError } from "./user-error.ts";

/** What of the command line is about who may read along. */
export interface TlsFlags {
  readonly tls?: string;
  readonly tlsMode?: TlsModeName;
  readonly tlsVerifyPeer?: boolean;
  readonly allowPlain?: boolean;
}

const MODES = ["on", "require"] as const;
type TlsModeName = (typeof MODES)[number];

/** The value of `--tls-mode`. */
export function parseTlsMode(text: string): TlsModeName {
  const mode = MODES.find((name) => name === text);
  if (mode !== undefined) return mode;
  throw new UserError(`--tls-mode ${text} is unknown; it should be one of ${MODES.join(", ")}`);
}

/**
 * Refuses flags that contradict, and addresses at which strangers would be served in clear. Those are
 * for `--allow-plain` to allow: what the blocks of a disk hold is read and changed by whoever connects.
 */
export function checkTlsFlags(flags: TlsFlags, listen: readonly ListenAddress[]): void {
  const { tls, tlsMode, tlsVerifyPeer, allowPlain } = flags;
  if (tls === undefined && (tlsMode !== undefined || tlsVerifyPeer === true)) {
    throw new UserError("--tls-mode and --tls-verify-peer go with --tls and a folder");
  }
  if (allowPlain === true || (tls !== undefined && tlsMode !== "on")) return;
  for (const address of listen) {
    if (address.kind === "unix" || isLoopback(address.host)) continue;
    const remedy =
      tls === undefined ? "give --tls and a folder" : "leave --tls-mode on out, to require TLS";
    throw new UserError(
      `--listen tcp:${bracketed(address.host)}:${String(address.port)} is for other machines, and in clear ` +
        `anybody on the way can read and write; ${remedy}, or --allow-plain if that is meant`,
    );
  }
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
