import { type GroupLimits, LIMIT_MIN, LIMIT_NAMES } from "@blkstack/throttle";
import type { GroupDescription } from "./description.ts";
import { suggestion } from "./nearest.ts";

/** Parses limits in io.max words; throws an Error that names the word and what would be right. */
export function parseGroup(text: string): GroupDescription {
  const group: Partial<Record<keyof GroupLimits, number>> = {};
  const seen = new Set<string>();
  for (const word of text.split(/\s+/).filter((part) => part !== "")) {
    const [key = "", value = "", ...more] = word.split("=");
    if (!isLimit(key)) {
      const hint = suggestion(key, LIMIT_NAMES) || `; known are ${LIMIT_NAMES.join(", ")}`;
      throw new Error(`unknown limit ${JSON.stringify(key)}${hint}`);
    }
    if (seen.has(key)) throw new Error(`the limit ${key} is given twice; give it once`);
    seen.add(key);
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
  return LIMIT_NAMES.filter((key) => group[key] !== undefined)
    .map((key) => `${key}=${String(group[key])}`)
    .join(" ");
}

function isLimit(key: string): key is keyof GroupLimits {
  return (LIMIT_NAMES as readonly string[]).includes(key);
}
