import fc from "fast-check";
import { begin, type Choice, choose, disconnect, negotiate, transmit } from "./state-table.ts";
import { mutate, type Mutation, mutations } from "./mutation.ts";

/** One client, from its flags to how it goes. */
export interface Session {
  /** Whether the server offers TLS, and the client asks for it, after `clear`. */
  readonly tls: "off" | "offered" | "used";
  /** Whether the device ends its bios later. */
  readonly isLate: boolean;
  readonly clientFlags: number;
  /** Options before TLS. */
  readonly clear: readonly Choice[];
  readonly options: readonly Choice[];
  /** Null: the client never chooses. */
  readonly chosen: Choice | null;
  readonly requests: readonly Choice[];
  readonly mutations: readonly Mutation[];
  /** After how many bytes everything ends; null: nothing is cut. */
  readonly cut: number | null;
  /** How many bytes come at once, in turn; none: all of them. */
  readonly pieces: readonly number[];
  readonly end: "halfClose" | "disconnect" | "vanish";
  /** Whether it reads nothing until it has said everything. */
  readonly isSlow: boolean;
}

/** What a session says in clear before TLS, and what then. */
export interface Script {
  readonly clear: Buffer;
  readonly rest: Buffer;
}

/** A handshake of TLS takes as long as ten sessions. */
const OFTEN_OFF: readonly "off"[] = ["off", "off", "off", "off", "off", "off", "off", "off"];

const choice: fc.Arbitrary<Choice> = fc.record({
  move: fc.nat(1000),
  a: fc.nat(1000),
  b: fc.nat(10_000),
});

export const sessions: fc.Arbitrary<Session> = fc.record({
  tls: fc.constantFrom(...OFTEN_OFF, "offered", "used"),
  isLate: fc.boolean(),
  clientFlags: fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(3, 1) },
    { weight: 1, arbitrary: fc.constantFrom(0, 2, 4, 0x8000_0003) },
  ),
  clear: fc.array(choice, { maxLength: 3 }),
  options: fc.array(choice, { maxLength: 5 }),
  chosen: fc.option(choice, { freq: 20 }),
  requests: fc.array(choice, { minLength: 1, maxLength: 14 }),
  mutations: fc.array(mutations, { maxLength: 3 }),
  cut: fc.option(fc.nat(200_000), { freq: 1 }),
  pieces: fc.array(fc.integer({ min: 1, max: 5000 }), { maxLength: 4 }),
  end: fc.constantFrom("halfClose" as const, "disconnect" as const, "vanish" as const),
  isSlow: fc.boolean(),
});

/** The bytes of a session, mutations and all. */
export function scriptOf(session: Session): Script {
  const flags = Buffer.alloc(4);
  flags.writeUInt32BE(session.clientFlags);
  const clearState = begin();
  const isUsed = session.tls === "used";
  const clear = isUsed ? [flags, ...session.clear.map((each) => negotiate(clearState, each))] : [];
  const state = begin();
  const pieces: Buffer[] = isUsed ? [] : [flags];
  pieces.push(...session.options.map((each) => negotiate(state, each)));
  if (session.chosen !== null) {
    pieces.push(choose(state, session.chosen));
    pieces.push(...session.requests.map((each) => transmit(state, each)));
    if (session.end === "disconnect") pieces.push(disconnect(state));
  }
  const rest = Buffer.concat(mutate(pieces, session.mutations));
  return { clear: Buffer.concat(clear), rest: rest.subarray(0, session.cut ?? rest.length) };
}
