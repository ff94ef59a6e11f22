import { Command, CommandFlag, Info, Option } from "../../src/wire.ts";
import {
  extendedRequest,
  metaQuery,
  option,
  query,
  type RawRequest,
  request,
} from "../raw-client.ts";
import type { Dialect } from "./handshake-model.ts";

/** Where a session stands, as far as it matters to what may come next. */
export interface State {
  dialect: Dialect;
  contexts: number[];
  /** Counted up, so that most requests have cookies of their own. */
  cookie: bigint;
}

/** Two free numbers, which each move takes for what it needs. */
export interface Choice {
  readonly move: number;
  readonly a: number;
  readonly b: number;
}

interface Move {
  readonly isPossible?: (state: State) => boolean;
  readonly make: (state: State, choice: Choice) => Buffer;
}

const EXPORT_NAMES: readonly string[] = [
  ...["disk", "", "blocks", "kept", "disk", "", "blocks"],
  "nobody",
];
const QUERIES: readonly (readonly string[])[] = [
  ["base:allocation"],
  ["base:allocation", "blkstack:layer"],
  [],
  ["base:"],
  ["blkstack:layer", "none:such"],
];
const OFFSETS: readonly number[] = [
  ...[0, 4096, 512, 8192, 65_536 - 512, 131_072, 4096, 12_288],
  ...[1, 4095, 65_535, 131_071],
];
const LENGTHS: readonly number[] = [
  ...[512, 4096, 40_960, 0, 65_536, 131_584, 4096, 8192, 98_304],
  ...[1, 511, 4097],
];
const LATER_FLAGS: readonly number[] = [0, 0, 0, CommandFlag.Fua];

const isStructured = ({ dialect }: State): boolean => dialect !== "simple";

function pick<Value>(values: readonly Value[], by: number): Value {
  const value = values[by % values.length];
  if (value === undefined) throw new RangeError("nothing to pick from");
  return value;
}

const nameOf = ({ a }: Choice): string => pick(EXPORT_NAMES, a);

/** What a client says while it negotiates, and goes on negotiating. */
const NEGOTIATING: readonly Move[] = [
  {
    make: (state) => {
      if (state.dialect === "simple") state.dialect = "structured";
      return option(Option.StructuredReply);
    },
  },
  {
    make: (state) => {
      state.dialect = "extended";
      return option(Option.ExtendedHeaders);
    },
  },
  {
    isPossible: isStructured,
    make: (state, { a, b }) => {
      const queries = pick(QUERIES, b);
      const names = ["base:allocation", "blkstack:layer"];
      state.contexts = names.flatMap((name, index) => (queries.includes(name) ? [index + 1] : []));
      return option(Option.SetMetaContext, metaQuery(pick(["disk", "", "kept"], a), ...queries));
    },
  },
  {
    isPossible: isStructured,
    make: (_, choice) =>
      option(Option.ListMetaContext, metaQuery(nameOf(choice), ...pick(QUERIES, choice.b))),
  },
  { make: () => option(Option.List) },
  { make: (_, choice) => option(Option.Info, query(nameOf(choice), kindsOf(choice))) },
  { make: (_, { a, b }) => option(0x1234 + (a % 7), Buffer.alloc(b % 9000, 1)) },
];

/** What a client asks for that has chosen an export. */
const TRANSMITTING: readonly Move[] = [
  { make: (state, choice) => ask(state, choice, Command.Read, rangeOf(choice), 0) },
  {
    make: (state, choice) => {
      const range = rangeOf(choice);
      const flags = state.dialect === "extended" ? CommandFlag.PayloadLength : 0;
      const head = ask(state, choice, Command.Write, range, flags);
      return Buffer.concat([head, Buffer.alloc(range.length, 1 + (choice.a % 250))]);
    },
  },
  { make: (state, choice) => ask(state, choice, Command.Trim, rangeOf(choice), 0) },
  {
    make: (state, choice) => {
      const flags = pick([0, CommandFlag.NoHole, CommandFlag.FastZero], choice.a);
      return ask(state, choice, Command.WriteZeroes, rangeOf(choice), flags);
    },
  },
  { make: (state, choice) => ask(state, choice, Command.Cache, rangeOf(choice), 0) },
  { make: (state, choice) => ask(state, choice, Command.Flush, { offset: 0, length: 0 }, 0) },
  {
    isPossible: isStructured,
    make: (state, choice) =>
      ask(state, choice, Command.Read, rangeOf(choice), CommandFlag.DontFragment),
  },
  {
    isPossible: ({ contexts }) => contexts.length > 0,
    make: (state, choice) => {
      const flags = pick([0, CommandFlag.RequestOne], choice.a);
      return ask(state, choice, Command.BlockStatus, rangeOf(choice), flags);
    },
  },
  {
    isPossible: ({ dialect, contexts }) => dialect === "extended" && contexts.length > 0,
    make: (state, choice) => {
      const { offset, length } = rangeOf(choice);
      const filter = Buffer.alloc(12);
      filter.writeBigUInt64BE(BigInt(length));
      filter.writeUInt32BE(pick(state.contexts, choice.b), 8);
      const range = { offset, length: filter.length };
      const flags = CommandFlag.PayloadLength;
      return Buffer.concat([ask(state, choice, Command.BlockStatus, range, flags), filter]);
    },
  },
];

export function begin(): State {
  return { dialect: "simple", contexts: [], cookie: 0x1_0000_0001n };
}

export function negotiate(state: State, choice: Choice): Buffer {
  return make(NEGOTIATING, state, choice);
}

/** The move that ends a negotiation. */
export function choose({ dialect }: State, choice: Choice): Buffer {
  const isOld = choice.move % 5 === 4 && dialect !== "extended";
  if (isOld) return option(Option.ExportName, Buffer.from(nameOf(choice)));
  return option(Option.Go, query(nameOf(choice), kindsOf(choice)));
}

export function transmit(state: State, choice: Choice): Buffer {
  return make(TRANSMITTING, state, choice);
}

export function disconnect(state: State): Buffer {
  return ask(state, { move: 0, a: 0, b: 0 }, Command.Disconnect, { offset: 0, length: 0 }, 0);
}

function make(moves: readonly Move[], state: State, choice: Choice): Buffer {
  const possible = moves.filter(({ isPossible }) => isPossible?.(state) !== false);
  return pick(possible, choice.move).make(state, choice);
}

function kindsOf({ b }: Choice): number[] {
  return pick([[], [Info.BlockSize], [Info.Name, Info.BlockSize], [77, Info.Export]], b);
}

function rangeOf({ a, b }: Choice): { offset: number; length: number } {
  return { offset: pick(OFFSETS, a), length: pick(LENGTHS, b) };
}

function ask(
  state: State,
  { a, b }: Choice,
  command: number,
  range: { offset: number; length: number },
  flags: number,
): Buffer {
  // Now and then a cookie that is in use already.
  if ((a + b) % 8 !== 0) state.cookie += 1n;
  const fields: RawRequest = {
    command,
    flags: flags | pick(LATER_FLAGS, a >> 4),
    cookie: state.cookie,
    ...range,
  };
  return state.dialect === "extended" ? extendedRequest(fields) : request(fields);
}
