import { SECTOR_BYTES } from "@blkstack/bio";

/** Two numbers of 32 bits, to be combined by exclusive or in any order. */
export interface Fingerprint {
  readonly hi: number;
  readonly lo: number;
}

/** The two as one exact number, of 53 bits. */
export function joined(hi: number, lo: number): number {
  return (hi >>> 0) * 2 ** 21 + (lo >>> 11);
}

/** What tells one sector's content from others: equal for equal bytes, wherever they lie. */
export function contentKey(bytes: Uint8Array, offset = 0): number {
  let hi = 0x9e37_79b9;
  let lo = 0x85eb_ca6b;
  for (let at = offset; at < offset + SECTOR_BYTES; at += 4) {
    const low = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8);
    const word = low | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
    hi = Math.imul(hi ^ word, 0x0100_0193);
    hi ^= hi >>> 15;
    lo = Math.imul(((lo << 13) | (lo >>> 19)) + word, 0x27d4_eb2f);
  }
  return joined(mixed(hi ^ lo), mixed(lo + hi));
}

/** A content at a place: `salt` tells disks apart. */
export function placed(content: number, salt: number, sector: number): Fingerprint {
  const high = Math.floor(content / 2 ** 32);
  const place = mixed(salt ^ Math.imul(sector + 1, 0x9e37_79b1));
  const hi = mixed(mixed(content ^ place) ^ high);
  return { hi, lo: mixed(mixed(high ^ Math.imul(place, 0x85eb_ca77)) ^ content) };
}

export function keyOfText(text: string): number {
  let key = 0x811c_9dc5;
  for (let at = 0; at < text.length; at += 1) {
    key = Math.imul(key ^ text.charCodeAt(at), 0x0100_0193);
  }
  return mixed(key);
}

/** Goes on from `key` with `value`; the order counts. */
export function folded(key: number, value: number): number {
  return mixed(Math.imul(key, 0x0100_0193) ^ value);
}

function mixed(value: number): number {
  let x = value | 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0_aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a_2d97);
  return x ^ (x >>> 15);
}
