import { LIMIT_MIN, LIMIT_NAMES } from "@blkstack/throttle";
import type { GroupDescription } from "./description.ts";
import { suggestion } from "./nearest.ts";

type Key = keyof GroupDescription;

/** A word `NAME=VALUE` of a group. */
interface Word {
  readonly key: Key;
  /** What its value is. */
  readonly what: string;
  /** What would be right. */
  readonly right: string;
  /** Undefined for a value that is none; `max`: as much as there is. */
  readonly parse: (value: string) => number | "max" | undefined;
  readonly format: (value: number) => string;
}

const WEIGHT_MIN = 10;
const WEIGHT_MAX = 1000;

const WORDS: ReadonlyMap<string, Word> = new Map([
  ...LIMIT_NAMES.map((name) => [name as string, limitWord(name)] as const),
  [
    "burst",
    {
      key: "burstMs",
      what: "time",
      right: "burst=NUMBERms or burst=NUMBERs",
      parse(value) {
        const { count, unit } = /^(?<count>[0-9]{1,9})(?<unit>ms|s)$/.exec(value)?.groups ?? {};
        return count === undefined ? undefined : Number(count) * (unit === "s" ? 1000 : 1);
      },
      format: (ms) => `${String(ms)}ms`,
    },
  ],
  [
    "weight",
    {
      key: "weight",
      what: "weight",
      right: `weight=NUMBER, from ${String(WEIGHT_MIN)} to ${String(WEIGHT_MAX)}`,
      parse(value) {
        const weight = wholeNumber(value);
        return weight >= WEIGHT_MIN && weight <= WEIGHT_MAX ? weight : undefined;
      },
      format: String,
    },
  ],
]);

/**
 * Parses limits in io.max words, how long they keep, and a weight: `rbps=10485760 wiops=max
 * burst=500ms weight=300`.
 *
 * Throws an Error that names the word and what would be right.
 */
export function parseGroup(text: string): GroupDescription {
  return changeGroup({}, text);
}

/** What the words make of a group: what is not named stays. Throws as `parseGroup` does. */
export function changeGroup(group: GroupDescription, text: string): GroupDescription {
  const changed = new Map(Object.entries(group));
  const seen = new Set<string>();
  for (const written of text.split(/\s+/).filter((part) => part !== "")) {
    const [name = ""] = written.split("=", 1);
    const word = WORDS.get(name);
    if (word === undefined) {
      const known = [...WORDS.keys()];
      const hint = suggestion(name, known) || `; known are ${known.join(", ")}`;
      throw new Error(`unknown limit ${JSON.stringify(name)}${hint}`);
    }
    const { key, what, right } = word;
    if (seen.has(name)) {
      const shown = what === "limit" ? `limit ${name}` : name;
      throw new Error(`the ${shown} is given twice; give it once`);
    }
    seen.add(name);
    const value = word.parse(written.slice(name.length + 1));
    if (value === undefined) {
      throw new Error(`${JSON.stringify(written)} is no ${what}; it should be ${right}`);
    }
    if (value === "max") changed.delete(key);
    else changed.set(key, value);
  }
  return Object.fromEntries(changed);
}

/** The words that `parseGroup` reads back as the same. */
export function formatGroup(group: GroupDescription): string {
  return [...WORDS]
    .flatMap(([name, { key, format }]) => {
      const value = group[key];
      return value === undefined ? [] : [`${name}=${format(value)}`];
    })
    .join(" ");
}

function limitWord(name: (typeof LIMIT_NAMES)[number]): Word {
  return {
    key: name,
    what: "limit",
    right: `${name}=NUMBER, from ${String(LIMIT_MIN)} on, or ${name}=max`,
    parse(value) {
      if (value === "max") return value;
      const perSecond = wholeNumber(value);
      return Number.isSafeInteger(perSecond) && perSecond >= LIMIT_MIN ? perSecond : undefined;
    },
    format: String,
  };
}

function wholeNumber(text: string): number {
  return /^[0-9]+$/.test(text) ? Number(text) : NaN;
}
