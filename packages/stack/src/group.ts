import { type GroupLimits, LIMIT_MIN, LIMIT_NAMES } from "@blkstack/throttle";
import type { GroupDescription } from "./description.ts";
import { suggestion } from "./nearest.ts";

/** How long allowances are kept: no word of io.max. */
const BURST = "burst";
const KEYS = [...LIMIT_NAMES, BURST];

/** Parses limits in io.max words, and `burst=500ms`; throws an Error that names the word and what would be right. */
export function parseGroup(text: string): GroupDescription {
  const group: Partial<Record<keyof GroupLimits | "burstMs", number>> = {};
  const seen = new Set<string>();
  for (const word of text.split(/\s+/).filter((part) => part !== "")) {
    const [key = "", value = "", ...more] = word.split("=");
    if (!isLimit(key) && key !== BURST) {
      const hint = suggestion(key, KEYS) || `; known are ${KEYS.join(", ")}`;
      throw new Error(`unknown limit ${JSON.stringify(key)}${hint}`);
    }
    if (seen.has(key)) throw new Error(`the limit ${key} is given twice; give it once`);
    seen.add(key);
    if (key === BURST) {
      group.burstMs = burstOf(word);
      continue;
    }
    if (value === "max" && more.length === 0) continue;
    const perSecond = /^[0-9]+$/.test(value) && more.length === 0 ? Number(value) : NaN;
    if (!Number.isSafeInteger(perSecond) || perSecond < LIMIT_MIN) {
      const right = `${key}=NUMBER, from ${String(LIMIT_MIN)} on, or ${key}=max`;
      throw new Error(`${JSON.stringify(word)} is no limit; it should be ${right}`);
    }
    group[key] = perSecond;
  }
  return group;
}

/** The words that `parseGroup` reads back as the same. */
export function formatGroup(group: GroupDescription): string {
  const words = LIMIT_NAMES.filter((key) => group[key] !== undefined).map(
    (key) => `${key}=${String(group[key])}`,
  );
  if (group.burstMs !== undefined) words.push(`${BURST}=${String(group.burstMs)}ms`);
  return words.join(" ");
}

function burstOf(word: string): number {
  const { count, unit } = /^burst=(?<count>[0-9]{1,9})(?<unit>ms|s)$/.exec(word)?.groups ?? {};
  if (count === undefined) {
    throw new Error(
      `${JSON.stringify(word)} is no time; it should be burst=NUMBERms or burst=NUMBERs`,
    );
  }
  return Number(count) * (unit === "s" ? 1000 : 1);
}

function isLimit(key: string): key is keyof GroupLimits {
  return (LIMIT_NAMES as readonly string[]).includes(key);
}
