import { describe, expect, it } from "vitest";
import { Bio, bioViews, collectBioViews, copyBioData, InvariantError } from "./index.ts";

/** A bio of vectors at odd places, each byte of which is its own number. */
function bioOf(...lengths: number[]): Bio {
  const bio = new Bio();
  let at = 0;
  bio.vecs = lengths.map((length, index) => {
    const bytes = new Uint8Array(index + length + 2).fill(0xee);
    for (let offset = 0; offset < length; offset += 1) bytes[index + offset] = at + offset;
    at += length;
    return { page: { bytes, frame: index }, offset: index, length };
  });
  bio.vecCount = lengths.length;
  bio.sizeBytes = at;
  return bio;
}

const shown = (views: readonly Uint8Array[]) => views.map((view) => [...view]);

describe("the memory of a bio", () => {
  it("is seen piece by piece, nothing before and nothing behind", () => {
    expect(shown(bioViews(bioOf(3, 1, 4)))).toEqual([[0, 1, 2], [3], [4, 5, 6, 7]]);
  });

  it("is seen from where the bio is, and from behind what is done", () => {
    const bio = bioOf(3, 1, 4);
    bio.vecDoneBytes = 1;
    bio.sizeBytes = 6;
    expect(shown(bioViews(bio))).toEqual([[1, 2], [3], [4, 5, 6]]);
    expect(shown(bioViews(bio, 2))).toEqual([[3], [4, 5, 6]]);
    expect(shown(bioViews(bio, 4))).toEqual([[5, 6]]);
    expect(bioViews(bio, 6)).toEqual([]);
  });

  it("is put into an array of the caller's, no more of it than is wanted", () => {
    const views = [new Uint8Array(9)];
    collectBioViews(bioOf(3, 1, 4), 0, views, 2);
    expect(shown(views)).toEqual([[0, 1, 2], [3]]);
  });

  it("is the caller's own, not a copy", () => {
    const bio = bioOf(2);
    bioViews(bio)[0]?.fill(9);
    expect(shown(bioViews(bio))).toEqual([[9, 9]]);
  });

  it("is copied in one piece, and what lies behind stays", () => {
    expect([...copyBioData(bioOf(2, 2))]).toEqual([0, 1, 2, 3]);
    expect([...copyBioData(bioOf(1, 1), new Uint8Array(3).fill(7))]).toEqual([0, 1, 7]);
  });

  it("cannot be shorter than the bio", () => {
    const bio = bioOf(2);
    bio.sizeBytes = 3;
    expect(() => bioViews(bio)).toThrow(InvariantError);
  });
});
