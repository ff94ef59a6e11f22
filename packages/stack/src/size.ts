import type { Bytes } from "@blkstack/bio";

const UNIT_BYTES = new Map<string, Bytes>([
  ["", 1],
  ["B", 1],
  ["kB", 1e3],
  ["KB", 1e3],
  ["MB", 1e6],
  ["GB", 1e9],
  ["TB", 1e12],
  ["K", 2 ** 10],
  ["M", 2 ** 20],
  ["G", 2 ** 30],
  ["T", 2 ** 40],
  ["KiB", 2 ** 10],
  ["MiB", 2 ** 20],
  ["GiB", 2 ** 30],
  ["TiB", 2 ** 40],
]);

/** What a size may look like: digits and a unit. The JSON schema says the same. */
export const SIZE_PATTERN = "^[0-9]+ ?(B|kB|KB|MB|GB|TB|K|M|G|T|KiB|MiB|GiB|TiB)?$";

/**
 * Bytes of `64MiB`, `1GB` or `4096`: K, M, G, T and KiB… count in 1024s, kB… in 1000s.
 * Undefined when the text is no size, or too long to count in bytes.
 */
export function parseSize(text: string): Bytes | undefined {
  if (!new RegExp(SIZE_PATTERN).test(text)) return undefined;
  const [digits = ""] = /^[0-9]+/.exec(text) ?? [];
  const unitBytes = UNIT_BYTES.get(text.slice(digits.length).trim());
  const bytes = Number(digits) * (unitBytes ?? NaN);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** The shortest text that `parseSize` reads back as the same: `64MiB`, `1536KiB`, `4097`. */
export function formatSize(bytes: Bytes): string {
  for (const unit of ["TiB", "GiB", "MiB", "KiB"]) {
    const unitBytes = UNIT_BYTES.get(unit) ?? 1;
    if (bytes > 0 && bytes % unitBytes === 0) return `${String(bytes / unitBytes)}${unit}`;
  }
  return String(bytes);
}
