import { Bio, BioFlag, BioOp, SECTOR_BYTES } from "@blkstack/bio";
import { describe, expect, it } from "vitest";
import { DmIo } from "./dm-io.ts";
import { accountOf, TargetIo } from "./target-io.ts";

interface Piece {
  readonly op?: BioOp;
  readonly flags?: number;
  readonly hasSiblings?: boolean;
  readonly isMapping?: boolean;
}

/** A piece of eight sectors that its target is asked to map. */
function pieceOf({ op = BioOp.Write, flags = 0, ...rest }: Piece = {}): {
  clone: Bio;
  tio: TargetIo;
  io: DmIo;
} {
  const io = new DmIo();
  io.isMapping = rest.isMapping ?? true;
  const tio = new TargetIo(io);
  tio.io = io;
  tio.sectors = 8;
  if (rest.hasSiblings === true) tio.hasSiblings = true;
  const clone = new Bio(null, tio);
  clone.op = op;
  clone.flags = flags;
  clone.sizeBytes = 8 * SECTOR_BYTES;
  return { clone, tio, io };
}

describe("of a piece", () => {
  it("a target may accept less and less, and at least one sector", () => {
    const { clone, tio, io } = pieceOf();
    for (const sectors of [8, 6, 1]) {
      tio.acceptPartial(clone, sectors);
      expect([clone.sectors, tio.sectors, io.pieceSectors]).toEqual([sectors, sectors, sectors]);
    }
  });

  it.each([
    [{ isMapping: false }, 4, "a part can be accepted inside map only"],
    [{ hasSiblings: true }, 4, "a bio with duplicates cannot be accepted in part"],
    [{ flags: BioFlag.Preflush }, 4, "a flush cannot be accepted in part"],
    [{ op: BioOp.ZoneOpen }, 4, "a zone operation cannot be accepted in part"],
    [{}, 0, "cannot accept 0 of 8 sectors"],
    [{}, 9, "cannot accept 9 of 8 sectors"],
  ])("nobody may accept %o: %i sectors", (piece, sectors, complaint) => {
    const { clone, tio } = pieceOf(piece);
    expect(() => {
      tio.acceptPartial(clone, sectors);
    }).toThrow(complaint);
    expect([clone.sectors, tio.sectors]).toEqual([8, 8]);
  });

  it("nobody may accept a part that was never given to a target", () => {
    const { clone, tio } = pieceOf();
    tio.io = null;
    expect(() => {
      tio.acceptPartial(clone, 4);
    }).toThrow("a part can be accepted inside map only");
  });
});

it("a target finds what it keeps with a clone, if it said that it keeps something", () => {
  const kept = {};
  expect(new TargetIo(null, [{}, kept]).data(1)).toBe(kept);
  expect(() => new TargetIo(null).data(0)).toThrow("this type of target declared no per-bio data");
});

it("an account comes with the first clone of a bio, and with no other", () => {
  const { clone, io } = pieceOf();
  expect(accountOf(clone)).toBe(io);
  const other = new Bio(null, new TargetIo(null));
  expect(() => accountOf(other)).toThrow("a first clone without an account");
});
