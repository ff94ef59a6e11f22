import { SECTOR_BYTES, type Sectors } from "@blkstack/bio";

const WORD_BYTES = 4;
/** Sectors of one source that have contents of their own. */
const SECTORS_MAX = 1 << 12;
/** Neighbouring words differ, so that a shift by any number of bytes shows. */
const WORD_STEP = 0x9e37_79b1;
/** Numbers of sources from here on are of writes. */
const FIRST_WRITE = 64;

/** Fills sectors so that each can be told from all others: by its source and its place there. */
function fill(bytes: Uint8Array, source: number): Uint8Array {
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; at += WORD_BYTES) {
    const sector = Math.floor(at / SECTOR_BYTES) % SECTORS_MAX;
    const word = (at % SECTOR_BYTES) / WORD_BYTES;
    words.setUint32(at, (source * SECTORS_MAX + sector + Math.imul(word, WORD_STEP)) >>> 0, true);
  }
  return bytes;
}

/** What disks hold at first, by their index and size: every run of every rule asks again. */
const CONTENTS = new Map<string, Uint8Array>();

/** What a disk holds at first, zeroes if it has no index; not to be changed. */
export function diskContent(diskIndex: number | null, sectors: Sectors): Uint8Array {
  const key = `${String(diskIndex)}/${String(sectors)}`;
  const known = CONTENTS.get(key);
  if (known !== undefined) return known;
  const content = new Uint8Array(sectors * SECTOR_BYTES);
  if (diskIndex !== null) fill(content, diskIndex + 1);
  CONTENTS.set(key, content);
  return content;
}

/** What a write writes; `serial` tells writes apart. */
export function writeContent(serial: number, sectors: Sectors): Uint8Array {
  return fill(new Uint8Array(sectors * SECTOR_BYTES), FIRST_WRITE + serial);
}

/** Says what one sector's bytes are, for people. */
export function contentText(sector: Uint8Array, diskNames: readonly string[]): string {
  const [first = 0] = sector;
  if (sector.every((byte) => byte === first)) return first === 0 ? "zeroes" : `${hex(first)} only`;
  const tag = new DataView(sector.buffer, sector.byteOffset).getUint32(0, true);
  const source = Math.floor(tag / SECTORS_MAX);
  const place = tag % SECTORS_MAX;
  const expected = fill(new Uint8Array((place + 1) * SECTOR_BYTES), source).subarray(-SECTOR_BYTES);
  const at = sector.findIndex((byte, index) => byte !== expected[index]);
  const name = nameOf(source, place, diskNames);
  if (at < 0) return name;
  const got = `${hex(sector[at])} in place of ${hex(expected[at])}`;
  return at < WORD_BYTES ? "other bytes" : `${name}, but byte ${String(at)} is ${got}`;
}

function nameOf(source: number, place: number, diskNames: readonly string[]): string {
  if (source >= FIRST_WRITE)
    return `sector ${String(place)} of write ${String(source - FIRST_WRITE)}`;
  const disk = diskNames[source - 1] ?? "?";
  return `what sector ${String(place)} of disk ${disk} had at first`;
}

function hex(byte = 0): string {
  return `0x${byte.toString(16).padStart(2, "0")}`;
}

/** The first sector in which the two, of equally many, differ; -1: none. */
export function firstDifference(one: Uint8Array, other: Uint8Array): Sectors {
  const [some, others] = [wordsOf(one), wordsOf(other)];
  for (let at = 0; at < some.length; at += 1) {
    if (some[at] !== others[at]) return Math.floor((at * WORD_BYTES) / SECTOR_BYTES);
  }
  return -1;
}

/** Four bytes at a time, for whole disks are compared after every bio. */
function wordsOf(sectors: Uint8Array): Uint32Array {
  const { buffer, byteOffset, length } = sectors;
  if (byteOffset % WORD_BYTES !== 0) return wordsOf(sectors.slice());
  return new Uint32Array(buffer, byteOffset, length / WORD_BYTES);
}

export function sectorOf(bytes: Uint8Array, sector: Sectors): Uint8Array {
  return bytes.subarray(sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES);
}
