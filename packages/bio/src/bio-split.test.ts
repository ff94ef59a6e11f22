import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Bio } from "./bio.ts";
import { cloneBio, splitBio } from "./bio-split.ts";
import type { BioVec } from "./bvec.ts";
import { SECTOR_BYTES } from "./units.ts";

/** A bio whose vectors lie anywhere in their pages, and the bytes it stands for, in order. */
const bioWithBytes = fc
  .array(
    fc.record({ lead: fc.nat(64), sectors: fc.integer({ min: 0, max: 3 }), odd: fc.nat(511) }),
    {
      minLength: 1,
      maxLength: 6,
    },
  )
  .map((stretches): [Bio, Buffer] => {
    let filled = 0;
    const bytes: Uint8Array[] = [];
    const vecs = stretches.map(({ lead, sectors, odd }, frame): BioVec => {
      const isLast = frame === stretches.length - 1;
      // Vectors need not hold whole sectors; the bio does.
      let length = sectors * SECTOR_BYTES + odd + 1;
      if (isLast) length += (SECTOR_BYTES - ((filled + length) % SECTOR_BYTES)) % SECTOR_BYTES;
      const memory = Uint8Array.from(
        { length: lead + length },
        (_, n) => (n * 7 + frame * 31) % 251,
      );
      bytes.push(memory.subarray(lead));
      filled += length;
      return { page: { bytes: memory, frame }, offset: lead, length };
    });
    const bio = new Bio();
    bio.vecs = vecs;
    bio.vecCount = vecs.length;
    bio.vecMax = vecs.length;
    bio.sector = 1000;
    bio.sizeBytes = filled;
    return [bio, Buffer.concat(bytes)];
  });

/** Reads a bio as a disk would: vector by vector, on a clone, so that the bio does not move. */
function bytesOf(bio: Bio): Buffer {
  const clone = new Bio();
  cloneBio(bio, clone);
  const bytes: Uint8Array[] = [];
  while (clone.sizeBytes > 0) {
    const { currentVec, currentBytes } = clone;
    expect(currentBytes).toBeGreaterThan(0);
    if (currentVec === undefined) break;
    const start = currentVec.offset + clone.vecDoneBytes;
    bytes.push(currentVec.page.bytes.subarray(start, start + currentBytes));
    clone.advance(currentBytes);
  }
  return Buffer.concat(bytes);
}

describe("against an array of bytes", () => {
  it("a bio reads as the bytes of its vectors, and reading does not change it", () => {
    fc.assert(
      fc.property(bioWithBytes, ([bio, bytes]) => {
        const table = bio.vecs.map((vec) => ({ ...vec }));
        expect(bytesOf(bio).equals(bytes)).toBe(true);
        expect(bio.vecs).toEqual(table);
      }),
    );
  });

  it("advancing drops bytes from the front, in however many steps", () => {
    fc.assert(
      fc.property(bioWithBytes, fc.array(fc.nat(4096), { maxLength: 8 }), ([bio, bytes], steps) => {
        let done = 0;
        for (const step of steps) {
          const fits = step <= bytes.length - done;
          expect(bio.advance(step)).toBe(fits);
          done = fits ? done + step : bytes.length;
          expect(bio.sizeBytes).toBe(bytes.length - done);
          if (!fits) return;
          expect(bytesOf(bio).equals(bytes.subarray(done))).toBe(true);
        }
      }),
    );
  });

  it("cutting gives pieces that lie end to end, on the device and in memory", () => {
    fc.assert(
      fc.property(bioWithBytes, fc.array(fc.nat(), { maxLength: 5 }), ([bio, bytes], cuts) => {
        const pieces: Bio[] = [];
        for (const cut of cuts) {
          if (bio.sectors < 2) break;
          const front = new Bio();
          splitBio(bio, 1 + (cut % (bio.sectors - 1)), front);
          pieces.push(front);
        }
        pieces.push(bio);
        let sector = 1000;
        for (const piece of pieces) {
          expect(piece.sector).toBe(sector);
          sector = piece.endSector;
        }
        expect(sector).toBe(1000 + bytes.length / SECTOR_BYTES);
        expect(Buffer.concat(pieces.map(bytesOf)).equals(bytes)).toBe(true);
      }),
    );
  });
});
