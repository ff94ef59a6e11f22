import type { Bytes } from "@blkstack/bio";
import { BlockError } from "@blkstack/block";

/** Bounds on what clients can make the server hold. */
export interface NbdLimits {
  /**
   * The largest READ or WRITE; larger writes end the connection. At least 1 MiB. Clients are told of
   * 32 MiB at the most, which is what they count on when they are told nothing.
   */
  readonly requestBytesMax: Bytes;
  /** Requests of one connection that were read and whose reply the socket has not taken. */
  readonly requestsInFlightMax: number;
  /** Payload of those; one request is always let through. */
  readonly bytesInFlightMax: Bytes;
  /**
   * Payload that all connections together may hold, at least two of the largest requests; a
   * client beyond it waits its turn. Replies, and what TLS encrypts, take an eighth of it
   * beside, and 24 KiB for each connection.
   */
  readonly serverBytesMax: Bytes;
  /** Connections that have chosen an export; further clients are turned away. */
  readonly connectionsMax: number;
  /** Of those, from one address of TCP; Infinity: as many as there may be. */
  readonly connectionsPerPeerMax: number;
  /** Connections that are still negotiating; beyond it the oldest is closed. */
  readonly halfOpenMax: number;
  /** Of those, from one address of TCP; beyond it the oldest from there is closed. */
  readonly halfOpenPerPeerMax: number;
  /** How long a client may negotiate. */
  readonly handshakeMs: number;
  /** Options that one client may send, or four for each export and 8 more where that is more. */
  readonly optionsMax: number;
  /**
   * How long a client that has chosen may say nothing and take nothing while it waits for nothing;
   * Infinity: for ever.
   */
  readonly idleMs: number;
  /**
   * While anybody waits for memory: how long clients may be slow that hold some. Who would then take
   * more than a minute to send or to take what it holds is closed.
   */
  readonly stallMs: number;
  /** After how long a silence TCP asks whether the other side is still there. */
  readonly keepAliveMs: number;
  /** How long `close` waits for what is in flight. */
  readonly closeMs: number;
}

const MIB = 1024 * 1024;

/** What may be without a limit. */
const UNLIMITED: ReadonlySet<string> = new Set(["connectionsPerPeerMax", "idleMs"]);

export const DEFAULT_LIMITS: NbdLimits = {
  requestBytesMax: 64 * MIB,
  requestsInFlightMax: 128,
  bytesInFlightMax: 32 * MIB,
  serverBytesMax: 256 * MIB,
  connectionsMax: 2048,
  connectionsPerPeerMax: Number.POSITIVE_INFINITY,
  halfOpenMax: 256,
  halfOpenPerPeerMax: 64,
  handshakeMs: 10_000,
  optionsMax: 32,
  idleMs: Number.POSITIVE_INFINITY,
  stallMs: 1000,
  keepAliveMs: 60_000,
  closeMs: 5000,
};

/** Fills the defaults in and refuses limits under which nothing could be served. */
export function resolveLimits(given: Partial<NbdLimits> = {}): NbdLimits {
  const limits = { ...DEFAULT_LIMITS, ...given };
  for (const [name, value] of Object.entries(limits)) {
    if (Number.isSafeInteger(value) && value > 0) continue;
    if (UNLIMITED.has(name) && value === Number.POSITIVE_INFINITY) continue;
    throw new BlockError("BLK_LIMITS", "EINVAL", `limit ${name} must be a whole number above 0`);
  }
  if (limits.requestBytesMax < MIB || limits.requestBytesMax > 64 * MIB) {
    throw new BlockError("BLK_LIMITS", "EINVAL", "limit requestBytesMax must be 1 to 64 MiB");
  }
  // Memory comes in powers of two, and an unaligned request needs a little more than it moves.
  if (limits.serverBytesMax < 2 * limits.requestBytesMax) {
    throw new BlockError("BLK_LIMITS", "EINVAL", "limit serverBytesMax is below two requests");
  }
  return limits;
}
