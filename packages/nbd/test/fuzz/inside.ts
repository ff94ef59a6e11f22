import { readdirSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { NbdLimits } from "../../src/index.ts";
import { emptyTally, type Tally } from "./expectation.ts";
import { InsideOracle } from "./inside-oracle.ts";
import { type InsideSession, randomSession } from "./random-session.ts";
import { smallest } from "./smallest.ts";
import { World } from "./world.ts";

type TlsKind = "none" | "offered" | "required";

/** Nobody looks at it: TLS is only said to be there. */
const NO_IDENTITY = { certificate: "", key: "" } as const;

/** Servers of one kind each, which are used until something goes wrong in them. */
class Worlds {
  readonly #limits: Partial<NbdLimits>;
  readonly #running = new Map<TlsKind, World>();

  constructor(limits: Partial<NbdLimits> = {}) {
    this.#limits = limits;
  }

  async play(session: InsideSession, tally: Tally): Promise<void> {
    const kind: TlsKind =
      session.tls === "off" ? "none" : session.isTlsRequired ? "required" : "offered";
    let world = this.#running.get(kind);
    if (world === undefined) {
      const tls = { ...NO_IDENTITY, isRequired: kind === "required" };
      world = new World(kind === "none" ? undefined : tls, this.#limits);
      await world.server.listen({ unix: kind });
      this.#running.set(kind, world);
    }
    try {
      await new InsideOracle(world, kind, session).play(tally);
    } catch (error) {
      // What goes on in there is of no interest any more.
      this.#running.delete(kind);
      throw error;
    }
  }

  /** Waits: until nothing of the servers is left, the bios of their reserves included. */
  async stop(): Promise<void> {
    for (const world of this.#running.values()) await world.server.close();
    this.#running.clear();
  }
}

export interface Play {
  readonly seed: number;
  /** Whichever comes first ends it. */
  readonly sessionsMax: number;
  readonly messagesMax: number;
  readonly forMs: number;
  readonly limits?: Partial<NbdLimits>;
  /** Whether a bad session is made small. */
  readonly isShrunk?: boolean;
  /** Told now and then how far it is. */
  readonly onProgress?: (tally: Tally, nextSeed: number) => void;
}

export interface Played {
  readonly tally: Tally;
  readonly seconds: number;
  /** A session that the server did not bear, made small; null: none. */
  readonly bad: { readonly seed: number; readonly why: string; readonly session: string } | null;
}

const PROGRESS_MS = 2000;

export function messagesOf({ options, requests }: Tally): number {
  return options + requests;
}

/** Plays sessions, each of its own seed: that of the first one, and one more for each that follows. */
export async function playInside({
  seed: firstSeed,
  sessionsMax,
  messagesMax,
  forMs,
  limits = {},
  isShrunk = true,
  onProgress,
}: Play): Promise<Played> {
  const worlds = new Worlds(limits);
  const tally = emptyTally();
  const beganMs = performance.now();
  let toldMs = beganMs;
  let seed = firstSeed;
  const secondsSoFar = (): number => (performance.now() - beganMs) / 1000;
  for (; tally.sessions < sessionsMax && messagesOf(tally) < messagesMax; seed += 1) {
    try {
      await worlds.play(randomSession(seed), tally);
    } catch (error) {
      const why = error instanceof Error ? (error.stack ?? error.message) : String(error);
      const whole = randomSession(seed);
      const session = isShrunk ? await smallest(whole, (each) => isBad(each, limits)) : whole;
      return {
        tally,
        seconds: secondsSoFar(),
        bad: { seed, why, session: JSON.stringify(session, plain) },
      };
    }
    const nowMs = performance.now();
    if (nowMs - beganMs > forMs) break;
    if (nowMs - toldMs < PROGRESS_MS) continue;
    toldMs = nowMs;
    onProgress?.(tally, seed + 1);
  }
  await worlds.stop();
  return { tally, seconds: secondsSoFar(), bad: null };
}

async function isBad(session: InsideSession, limits: Partial<NbdLimits>): Promise<boolean> {
  try {
    await new Worlds(limits).play(session, emptyTally());
    return false;
  } catch {
    return true;
  }
}

function plain(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? value.toString() : value;
}

/** What this process holds of the system. */
export interface Held {
  readonly heapBytes: number;
  /** Of buffers, which are not on the heap. */
  readonly bufferBytes: number;
  readonly descriptors: number;
}

/** Measures what is still held when all that nobody holds is collected. */
export function held(): Held {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return {
    heapBytes: heapUsed,
    bufferBytes: arrayBuffers,
    descriptors: readdirSync("/proc/self/fd").length,
  };
}
