import { SECTOR_BYTES, type Sectors } from "@blkstack/bio";

const WORDS_PER_SECTOR = SECTOR_BYTES / 4;
/** Numbers of disks; those of writes follow. */
const DISKS_MAX = 64;
const SECTORS_MAX = 4096;

/** What a disk holds at first: each sector can be told from all others. */
export function diskContent(index: number, sectors: Sectors): Uint8Array {
  return contentOf(index % DISKS_MAX, sectors);
}

/** What a write writes; `serial` tells writes apart. */
export function writeContent(serial: number, sectors: Sectors): Uint8Array {
  return contentOf(DISKS_MAX + serial, sectors);
}

/** The last word is another one, so that sectors that were shifted or torn show. */
function contentOf(source: number, sectors: Sectors): Uint8Array {
  const words = new Uint32Array(sectors * WORDS_PER_SECTOR);
  for (let sector = 0; sector < sectors; sector += 1) {
    const tag = (source * SECTORS_MAX + (sector % SECTORS_MAX) + 1) >>> 0;
    const end = (sector + 1) * WORDS_PER_SECTOR;
    words.fill(tag, end - WORDS_PER_SECTOR, end);
    words[end - 1] = ~tag;
  }
  return new Uint8Array(words.buffer);
}

/** The first sector in which the two, of equally many, differ; -1: none. */
export function firstDifference(one: Uint8Array, other: Uint8Array): Sectors {
  if (Buffer.compare(one, other) === 0) return -1;
  for (let at = 0; at < one.length; at += SECTOR_BYTES) {
    const end = at + SECTOR_BYTES;
    if (Buffer.compare(one.subarray(at, end), other.subarray(at, end)) !== 0) {
      return at / SECTOR_BYTES;
    }
  }
  return -1;
}

/** What a sector of some bytes holds, for people. */
export function contentText(bytes: Uint8Array, sector: Sectors, disks: readonly string[]): string {
  const own = bytes.slice(sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES);
  const [first = 0] = own;
  if (own.every((byte) => byte === first)) return first === 0 ? "zeroes" : `only ${String(first)}`;
  const words = new Uint32Array(own.buffer);
  const [tag = 0] = words;
  const isWhole = words.every((word, index) =>
    index === words.length - 1 ? word === ~tag >>> 0 : word === tag,
  );
  if (!isWhole) return "several sectors' bytes";
  const source = Math.floor((tag - 1) / SECTORS_MAX);
  const place = String((tag - 1) % SECTORS_MAX);
  if (source >= DISKS_MAX) return `sector ${place} of write ${String(source - DISKS_MAX)}`;
  return `what sector ${place} of disk ${disks[source] ?? "?"} had at first`;
}
