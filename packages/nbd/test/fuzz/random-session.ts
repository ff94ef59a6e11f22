import { type Mutation, VALUES } from "./mutation.ts";
import { Random } from "./random.ts";
import type { Session } from "./session.ts";
import type { Choice } from "./state-table.ts";

/** A session that is played without sockets. */
export interface InsideSession extends Session {
  /** Of TLS, where it is there: whether it must be used. */
  readonly isTlsRequired: boolean;
  /** What follows STARTTLS in clear. */
  readonly clearTail: Uint8Array;
  /** Whether the server receives into buffers of its own. */
  readonly isDirect: boolean;
  /** Decides when anything arrives, is taken, or ends. */
  readonly turnSeed: number;
}

/** Ranges of a few kilobytes, by their place in the table of lengths. */
const SHORT: readonly number[] = [0, 1, 3, 6, 7, 9, 10, 11];
const LENGTHS_COUNT = 12;
/** How far from its end the table of requests repeats. */
const FREE = 10_000;

/** Makes a session of a seed: the same one for the same seed. */
export function randomSession(seed: number): InsideSession {
  const random = new Random(seed);
  const isLong = random.isOneOf(2);
  const requestsMax = isLong ? 400 : 40;
  const optionsMax = random.isOneOf(12) ? 45 : 8;
  return {
    tls: random.pick(["off", "off", "off", "off", "off", "offered", "used", "used"]),
    isTlsRequired: random.isOneOf(2),
    clearTail: random.isOneOf(5) ? bytesOf(random, 1 + random.below(40)) : new Uint8Array(0),
    isLate: random.isOneOf(2),
    clientFlags: random.isOneOf(16) ? random.pick([0, 2, 4, 0x8000_0003]) : random.pick([3, 3, 1]),
    clear: random.many(random.below(4), () => choiceOf(random)),
    options: random.many(random.below(optionsMax), () => choiceOf(random)),
    chosen: random.isOneOf(16) ? null : choiceOf(random),
    requests: random.many(1 + random.below(requestsMax), () => choiceOf(random)),
    mutations: random.many(mutationCountOf(random, isLong), () => mutationOf(random)),
    cut: random.isOneOf(8) ? random.below(200_000) : null,
    pieces: random.many(random.below(5), () => 1 + random.below(random.pick([30, 5000, 100_000]))),
    end: random.pick(["halfClose", "halfClose", "disconnect", "vanish"]),
    isSlow: random.isOneOf(3),
    isDirect: !random.isOneOf(4),
    turnSeed: random.below(2 ** 31),
  };
}

/** Long sessions are for what only long ones find: mistakes would end them early. */
function mutationCountOf(random: Random, isLong: boolean): number {
  if (isLong) return random.isOneOf(3) ? 1 : 0;
  return random.below(4);
}

function choiceOf(random: Random): Choice {
  const b = random.isOneOf(8)
    ? random.below(FREE)
    : random.pick(SHORT) + LENGTHS_COUNT * random.below(Math.floor(FREE / LENGTHS_COUNT));
  return { move: random.below(1000), a: random.below(1000), b };
}

function mutationOf(random: Random): Mutation {
  const piece = random.below(random.pick([8, 30, 400]));
  switch (random.below(8)) {
    case 0:
    case 1: {
      const of = { bytes: random.pick([1, 2, 4, 8]), value: random.pick(VALUES) };
      // Mostly one of the lengths, of which options have one more behind their head.
      const at = random.isOneOf(2) ? random.below(41) : random.pick([12, 16, 24, 26]);
      return { kind: "set", piece, at, of };
    }
    case 2:
      return { kind: "length", piece, by: random.below(621) - 20 };
    case 3:
      return { kind: random.pick(["type", "flags"]), piece, value: random.below(0x80) };
    case 4:
      return { kind: random.pick(["drop", "repeat"]), piece };
    case 5:
      return { kind: "swap", piece, other: random.below(30) };
    case 6:
      return { kind: "cut", piece, at: random.below(61) };
    default:
      return { kind: "insert", piece, bytes: bytesOf(random, random.below(41)) };
  }
}

function bytesOf(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random.below(256));
}
