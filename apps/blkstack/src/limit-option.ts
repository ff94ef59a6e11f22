import type { NbdLimits } from "@blkstack/nbd";
import { formatSize, parseSize } from "@blkstack/stack";
import { UserError } from "./user-error.ts";

/** What a limit is counted in. */
interface Measure {
  /** Undefined for a text that is none. */
  readonly parse: (text: string) => number | undefined;
  readonly format: (value: number) => string;
  /** Of what people are told to write: `a whole number`. */
  readonly what: string;
  readonly example: number;
}

/** A limit by the name that users know it by. */
interface NamedLimit {
  readonly key: keyof NbdLimits;
  readonly measure: Measure;
  readonly min: number;
  readonly max: number;
}

const MS_PER_UNIT = new Map([
  ["ms", 1],
  ["s", 1000],
  ["min", 60_000],
  ["h", 3_600_000],
]);

const COUNT: Measure = {
  parse: (text) => (/^[0-9]+$/.test(text) ? Number(text) : undefined),
  format: String,
  what: "a whole number",
  example: 16,
};
const TIME: Measure = {
  parse(text) {
    const { count, unit = "" } = /^(?<count>[0-9]+)(?<unit>ms|s|min|h)$/.exec(text)?.groups ?? {};
    return count === undefined ? undefined : Number(count) * (MS_PER_UNIT.get(unit) ?? NaN);
  },
  format: (ms) => (ms % 1000 === 0 ? `${String(ms / 1000)}s` : `${String(ms)}ms`),
  what: "a time",
  example: 90_000,
};
const SIZE: Measure = {
  parse: parseSize,
  format: formatSize,
  what: "a size",
  example: 8 * 2 ** 20,
};

const COUNT_MAX = 100_000;
/** Timers of Node.js end at 24 days. */
const TIME_MAX_MS = 1_000_000_000;
const GIB = 2 ** 30;

const counted = (key: keyof NbdLimits): NamedLimit => {
  return { key, measure: COUNT, min: 1, max: COUNT_MAX };
};
const timed = (key: keyof NbdLimits): NamedLimit => {
  return { key, measure: TIME, min: 1, max: TIME_MAX_MS };
};

const LIMITS: ReadonlyMap<string, NamedLimit> = new Map([
  ["connections", counted("connectionsMax")],
  ["connections-per-peer", counted("connectionsPerPeerMax")],
  ["negotiating", counted("halfOpenMax")],
  ["negotiating-per-peer", counted("halfOpenPerPeerMax")],
  ["requests-in-flight", counted("requestsInFlightMax")],
  ["bytes-in-flight", { key: "bytesInFlightMax", measure: SIZE, min: 4096, max: GIB }],
  ["handshake", timed("handshakeMs")],
  ["idle", timed("idleMs")],
  ["stall", timed("stallMs")],
  ["keep-alive", timed("keepAliveMs")],
  ["stop", timed("closeMs")],
]);

/** Collects the values of `--limit NAME=VALUE`, which may be given more than once. */
export function collectLimit(text: string, before: Partial<NbdLimits> = {}): Partial<NbdLimits> {
  const [, name = "", value = ""] = /^([^=]*)=?(.*)$/s.exec(text) ?? [];
  const limit = LIMITS.get(name);
  if (limit === undefined) {
    const names = [...LIMITS.keys()].join(", ");
    throw new UserError(
      `--limit ${text}: there is no limit "${name}"; it should be one of ${names}`,
    );
  }
  const { key, measure, min, max } = limit;
  if (before[key] !== undefined) {
    throw new UserError(`--limit ${text}: the limit "${name}" is given twice; give it once`);
  }
  const number = measure.parse(value);
  if (number === undefined || number < min || number > max) {
    const { what, format, example } = measure;
    throw new UserError(
      `--limit ${text}: ${name} is ${what} from ${format(min)} to ${format(max)}, ` +
        `as in ${name}=${format(example)}`,
    );
  }
  return { ...before, [key]: number };
}
