import { Bio, BioFlag, BioOp, createVecs, SECTOR_BYTES } from "@blkstack/bio";
import { describe, expect, it } from "vitest";
import { CrashState } from "./crash-state.ts";
import { contentKey } from "./fingerprints.ts";
import { VolatileCache } from "./volatile-cache.ts";

const EVERY = { everyImageUpTo: 1 << 16, imagesSampled: 0 };
const { Preflush, Fua } = BioFlag;

/** Like `WRITE [2..4)`, each of its sectors full of `tag`. */
function bioOf(op: BioOp, sector: number, sectors: number, tag = 1, flags = 0): Bio {
  const bio = new Bio(null, null, createVecs(1));
  bio.vecs = bio.inlineVecs;
  bio.vecMax = 1;
  const bytes = new Uint8Array(sectors * SECTOR_BYTES).fill(tag);
  if (sectors > 0) bio.addPage({ bytes, frame: 0 }, bytes.length, 0);
  bio.op = op;
  bio.flags = flags;
  bio.sector = sector;
  return bio;
}

const write = (sector: number, tag = 1, flags = 0): Bio =>
  bioOf(BioOp.Write, sector, 1, tag, flags);
const flush = (): Bio => bioOf(BioOp.Flush, 0, 0);

function does(cache: VolatileCache, ...bios: readonly Bio[]): void {
  for (const bio of bios) {
    cache.submitted(bio);
    cache.acknowledged(bio);
  }
}

function stateOf(...caches: readonly VolatileCache[]): CrashState {
  return new CrashState(caches.map((cache) => cache.capture()));
}

/** The contents of sectors 0 to 7 in each image: a digit is what a sector is full of. */
function imagesOf(cache: VolatileCache): string[] {
  const state = stateOf(cache);
  const images = new Set<string>();
  for (const { digits } of state.images(EVERY)) {
    const sectors = new Array<number>(8).fill(0);
    for (const [sector, bytes] of state.sectorsOf(0, digits)) sectors[sector] = bytes[0] ?? 0;
    images.add(sectors.join(""));
  }
  return [...images].sort();
}

/** Cuts the power after each of the bios: how many images there are in all, and distinct ones. */
function countsOf(bios: readonly Bio[]): { raw: number; distinct: number } {
  const cache = new VolatileCache("disk");
  const keys = new Set<number>();
  let raw = 0;
  const cut = (): void => {
    const state = stateOf(cache);
    raw += state.choiceCount;
    for (const { key } of state.images(EVERY)) keys.add(key);
  };
  cut();
  for (const bio of bios) {
    does(cache, bio);
    cut();
  }
  return { raw, distinct: keys.size };
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

const epochs = range(3).flatMap((epoch) => [
  ...range(3).map((at) => write(epoch * 3 + at)),
  flush(),
]);
const log = [write(0), write(1), write(2), write(3)];

describe("how many images power cuts can leave", () => {
  it.each([
    ["3 sectors, no flush", range(3).map((at) => write(at)), 15, 8],
    ["5 sectors, no flush", range(5).map((at) => write(at)), 63, 32],
    ["10 sectors, no flush", range(10).map((at) => write(at)), 2047, 1024],
    ["3 times 3 writes and a flush", epochs, 46, 22],
    ["one sector, written 4 times", range(4).map((tag) => write(0, tag + 1)), 15, 5],
    ["2 data, 2 log, a flush, a commit with FUA", [...log, flush(), write(4, 1, Fua)], 33, 17],
    ["the same without the flush", [...log, write(4, 1, Fua)], 47, 32],
    ["the same, and the commit a plain write", [...log, write(4)], 63, 32],
  ])("%s", (_name, bios, raw, distinct) => {
    expect(countsOf(bios)).toEqual({ raw, distinct });
  });

  it("without the flush the commit is there in 15 images of which the data is not whole", () => {
    const cache = new VolatileCache("disk");
    does(cache, ...log, write(4));
    const torn = imagesOf(cache).filter((image) => image[4] === "1" && !image.startsWith("1111"));
    expect(torn).toHaveLength(15);
  });

  it("a write of several sectors may be torn anywhere", () => {
    const cache = new VolatileCache("disk");
    does(cache, bioOf(BioOp.Write, 2, 3, 7));
    expect(imagesOf(cache)).toHaveLength(8);
    expect(imagesOf(cache)).toContain("00707000");
  });

  it("of too many images it takes the extremes, and the same ones by lot each time", () => {
    const cache = new VolatileCache("disk");
    does(cache, bioOf(BioOp.Write, 0, 20, 7));
    const state = stateOf(cache);
    const limits = { everyImageUpTo: 4096, imagesSampled: 100 };
    expect(state.isComplete(limits)).toBe(false);
    const landed = (): string[] => [...state.images(limits)].map(({ digits }) => digits.join(""));
    const images = landed();
    expect(images).toHaveLength(2 + 2 * 20 + 100);
    expect(images).toEqual(landed());
    const withLanded = (count: number): number =>
      new Set(images.filter((image) => image.replaceAll("0", "").length === count)).size;
    expect([0, 1, 19, 20].map(withLanded)).toEqual([1, 20, 20, 1]);
  });
});

describe("what a flush makes durable", () => {
  it("is what was acknowledged before it began, and nothing that was still under way", () => {
    const cache = new VolatileCache("disk");
    const [late, barrier] = [write(1, 2), flush()];
    does(cache, write(0));
    cache.submitted(late);
    cache.submitted(barrier);
    cache.acknowledged(late);
    expect(imagesOf(cache)).toHaveLength(4);
    cache.acknowledged(barrier);
    expect(imagesOf(cache)).toEqual(["10000000", "12000000"]);
  });

  it("is not what a write with FUA leaves behind it in the cache", () => {
    const cache = new VolatileCache("disk");
    does(cache, write(0), write(1, 2, Fua));
    expect(imagesOf(cache)).toEqual(["02000000", "12000000"]);
  });

  it("is there before anything lands that the same bio writes", () => {
    const cache = new VolatileCache("disk");
    does(cache, write(0));
    const commit = write(1, 2, Preflush | Fua);
    cache.submitted(commit);
    expect(imagesOf(cache)).toEqual(["00000000", "10000000", "12000000"]);
    does(cache, write(2, 3));
    expect(imagesOf(cache)).not.toContain("02300000");
    cache.acknowledged(commit);
    expect(imagesOf(cache)).toEqual(["12000000", "12300000"]);
  });

  it("stays there until something newer lands, or a discard", () => {
    const cache = new VolatileCache("disk");
    does(cache, write(0, 1), flush(), write(0, 2), write(0, 3));
    expect(imagesOf(cache)).toEqual(["10000000", "20000000", "30000000"]);
    const discard = bioOf(BioOp.Discard, 0, 0);
    discard.sizeBytes = SECTOR_BYTES;
    does(cache, discard);
    expect(imagesOf(cache)).toContain("00000000");
  });
});

describe("states", () => {
  it("are equal when the same can be left of them, whatever the way to them", () => {
    const [one, other] = [new VolatileCache("disk"), new VolatileCache("disk")];
    does(one, write(0, 1), write(1, 2));
    does(other, write(1, 2), write(0, 1));
    expect(one.stateKey()).toBe(other.stateKey());
    does(one, flush());
    expect(one.stateKey()).not.toBe(other.stateKey());
    does(other, flush(), write(0, 1), flush());
    expect(one.stateKey()).toBe(other.stateKey());
  });

  it("of two disks are left in any pair of their images", () => {
    const [one, other] = [new VolatileCache("one"), new VolatileCache("other")];
    does(one, write(0), write(1));
    does(other, write(0, 1), write(0, 2));
    const state = stateOf(one, other);
    const keys = new Map<string, number>();
    for (const { key, digits } of state.images(EVERY)) keys.set(digits.join(""), key);
    expect(new Set(keys.values()).size).toBe(4 * 3);
    expect(state.allows([1, 0, 2])).toBe(true);
    expect(state.allows([1, 0, 3])).toBe(false);
    expect(state.choiceOf(Uint8Array.of(1, 0, 2)).key).toBe(keys.get("102"));
  });
});

describe("what may be read after a cut", () => {
  const full = (tag: number): number => contentKey(new Uint8Array(SECTOR_BYTES).fill(tag));

  it("is the durable content or a newer one; an older one is a lost write", () => {
    const cache = new VolatileCache("top");
    does(cache, write(3, 1), write(3, 2), flush(), write(3, 3));
    const kept = cache.capture();
    expect([2, 3].map((tag) => kept.complaintAbout(3, full(tag), full(0)))).toEqual([null, null]);
    expect(kept.complaintAbout(3, full(1), full(0))).toMatchObject({ kind: "LOST_WRITE" });
    expect(kept.complaintAbout(3, full(9), full(0))).toMatchObject({ kind: "CORRUPTION" });
    expect(kept.complaintAbout(4, full(0), full(0))).toBeNull();
    expect(kept.complaintAbout(4, full(1), full(0))).toMatchObject({ kind: "CORRUPTION" });
  });
});
