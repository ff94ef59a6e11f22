import { describe, expect, it } from "vitest";
import { Bio, type BioPool, BioState } from "./bio.ts";
import { cloneBio, splitBio } from "./bio-split.ts";
import { type BioVec, createVecs, type Page } from "./bvec.ts";
import { InvariantError } from "./invariant.ts";
import { BioFlag, BioOp, isWriteOp, opName } from "./op.ts";
import { BioStatus } from "./status.ts";
import { PAGE_BYTES } from "./units.ts";

function page(frame: number): Page {
  return { bytes: new Uint8Array(PAGE_BYTES), frame };
}

/** The bio of T1.1: vectors of 4096, 4096 and 2048 bytes at sector 100. */
function tenKib(pool: BioPool | null = null): Bio {
  const bio = new Bio(pool);
  bio.vecs = [4096, 4096, 2048].map((length, n): BioVec => ({ page: page(n), offset: 0, length }));
  bio.vecCount = 3;
  bio.vecMax = 3;
  bio.sector = 100;
  bio.sizeBytes = 10240;
  return bio;
}

function position(bio: Bio): number[] {
  return [bio.sector, bio.sizeBytes, bio.vecIndex, bio.vecDoneBytes];
}

describe("T1.1: the iterator", () => {
  it("stands where the bytes that are done say, inside a vector or at its end", () => {
    const bio = tenKib();
    const seen = [5120, 512, 2560].map((bytes) => {
      expect(bio.advance(bytes)).toBe(true);
      return position(bio);
    });
    expect(seen).toEqual([
      [110, 5120, 1, 1024],
      [111, 4608, 1, 1536],
      [116, 2048, 2, 0],
    ]);
  });

  it("lands on the next vector at a boundary, and behind the last at the end", () => {
    const boundary = tenKib();
    boundary.advance(4096);
    expect(position(boundary)).toEqual([108, 6144, 1, 0]);
    const end = tenKib();
    end.advance(10240);
    expect(position(end)).toEqual([120, 0, 3, 0]);
    expect([end.currentVec, end.currentBytes]).toEqual([undefined, 0]);
  });

  it("does not move for nothing", () => {
    const bio = tenKib();
    expect(bio.advance(0)).toBe(true);
    expect(position(bio)).toEqual([100, 10240, 0, 0]);
  });

  it("skips an empty vector rather than loop on it", () => {
    const bio = tenKib();
    bio.vecs.splice(1, 0, { page: page(9), offset: 0, length: 0 });
    bio.advance(4096 + 512);
    expect(position(bio)).toEqual([109, 5632, 2, 512]);
  });

  it("offers no more of a vector than the bio wants", () => {
    const bio = tenKib();
    bio.sizeBytes = 1024;
    expect(bio.currentBytes).toBe(1024);
    bio.advance(512);
    expect(bio.currentBytes).toBe(512);
  });
});

describe("T1.5: going beyond the end", () => {
  it("empties the bio and says so, instead of a negative size", () => {
    const bio = tenKib();
    expect(bio.advance(10241)).toBe(false);
    expect(bio.sizeBytes).toBe(0);
  });

  it("of the vectors is a broken promise", () => {
    const bio = tenKib();
    bio.sizeBytes = 20480;
    expect(() => bio.advance(10752)).toThrow(InvariantError);
  });
});

describe("T1.7: a discard", () => {
  it("moves over its range without any vectors", () => {
    const bio = new Bio();
    bio.op = BioOp.Discard;
    bio.sector = 3;
    bio.sizeBytes = 300 * 512;
    bio.advance(93 * 512);
    expect(position(bio)).toEqual([96, 105984, 0, 0]);
    expect([bio.sectors, bio.endSector, bio.hasData]).toEqual([207, 303, false]);
  });
});

describe("T1.2: a split", () => {
  it("gives the front to the clone and leaves the rest", () => {
    const [bio, front] = [tenKib(), new Bio()];
    splitBio(bio, 7, front);
    expect(position(front)).toEqual([100, 3584, 0, 0]);
    expect(position(bio)).toEqual([107, 6656, 0, 3584]);
    expect(front.vecs).toBe(bio.vecs);
    expect([front.endIo, front.private, front.parent]).toEqual([null, null, null]);
  });

  it.each([0, 20, 21])("of %i of 20 sectors is refused, and changes nothing", (sectors) => {
    const bio = tenKib();
    expect(() => {
      splitBio(bio, sectors, new Bio());
    }).toThrow(InvariantError);
    expect(position(bio)).toEqual([100, 10240, 0, 0]);
  });

  it("of a zone append is refused", () => {
    const bio = tenKib();
    bio.op = BioOp.ZoneAppend;
    expect(() => {
      splitBio(bio, 7, new Bio());
    }).toThrow("zone append");
  });

  it("keeps a preflush on both halves", () => {
    const [bio, front] = [tenKib(), new Bio()];
    bio.op = BioOp.Write;
    bio.flags = BioFlag.Preflush | BioFlag.Sync;
    splitBio(bio, 7, front);
    expect([front.flags, bio.flags]).toEqual(Array(2).fill(BioFlag.Preflush | BioFlag.Sync));
  });
});

describe("T1.6: a clone", () => {
  it("shares the table, which outlives it and is given back once, with its owner", () => {
    const released: Bio[] = [];
    const pool: BioPool = { label: "pool", release: (bio) => void released.push(bio) };
    const [bio, clone] = [tenKib(pool), new Bio(pool)];
    const table = structuredClone(bio.vecs);
    bio.state |= BioState.Throttled | BioState.Quiet;
    cloneBio(bio, clone);
    expect([clone.vecs, clone.vecMax, position(clone)]).toEqual([bio.vecs, 0, position(bio)]);
    expect(clone.state).toBe(BioState.Cloned | BioState.Throttled);
    clone.advance(6000);
    clone.put();
    expect([bio.vecs, position(bio)]).toEqual([table, [100, 10240, 0, 0]]);
    bio.put();
    expect(released).toEqual([clone, bio]);
  });

  it("may not add to the table", () => {
    const [bio, clone] = [tenKib(), new Bio()];
    cloneBio(bio, clone);
    expect(clone.addPage(page(2), 512, 2048)).toBe(0);
    expect([clone.sizeBytes, bio.vecs[2]?.length]).toEqual([10240, 2048]);
  });
});

describe("T1.8: reset", () => {
  it("forgets everything but the memory: pool, table, room and references", () => {
    const pool: BioPool = { label: "pool", release: () => undefined };
    const bio = tenKib(pool);
    const { vecs } = bio;
    bio.op = BioOp.Write;
    bio.flags = BioFlag.Fua;
    bio.device = { name: "md0" };
    bio.status = BioStatus.Medium;
    bio.endIo = () => undefined;
    bio.private = {};
    bio.parent = tenKib();
    bio.remaining = 0;
    bio.state |= BioState.Remapped;
    bio.advance(5120);
    bio.get();
    bio.reset();
    const fresh = new Bio(pool);
    fresh.vecs = vecs;
    fresh.vecMax = 3;
    fresh.get();
    expect(bio).toEqual(fresh);
    expect(bio.vecs).toBe(vecs);
  });
});

describe("adding pages", () => {
  function empty(room: number): Bio {
    const bio = new Bio();
    bio.vecs = createVecs(room);
    bio.vecMax = room;
    return bio;
  }

  it("grows the last vector when the page goes on, and takes a new one when it does not", () => {
    const [bio, first] = [empty(2), page(0)];
    expect([bio.addPage(first, 512, 0), bio.addPage(first, 512, 512)]).toEqual([512, 512]);
    expect([bio.vecCount, bio.vecs[0]?.length]).toEqual([1, 1024]);
    expect(bio.addPage(first, 512, 2048)).toBe(512);
    expect([bio.vecCount, bio.sizeBytes]).toEqual([2, 1536]);
  });

  it("is all or nothing: no room, no bytes, or too many of them change nothing", () => {
    const bio = empty(1);
    bio.addPage(page(0), 4096, 0);
    const huge = empty(1);
    huge.sizeBytes = 0xffff_ffff - 511;
    expect(bio.addPage(page(1), 4096, 0)).toBe(0);
    expect(bio.addPage(page(0), 0, 4096)).toBe(0);
    expect(huge.addPage(page(0), 512, 0)).toBe(0);
    expect([bio.sizeBytes, bio.vecCount, huge.vecCount]).toEqual([4096, 1, 0]);
  });
});

describe("references", () => {
  it("the last put gives the bio back, and one more is a broken promise", () => {
    let released = 0;
    const bio = new Bio({ label: "pool", release: () => void (released += 1) });
    bio.get();
    bio.get();
    bio.put();
    bio.put();
    expect(released).toBe(0);
    bio.put();
    expect(released).toBe(1);
    expect(() => {
      bio.put();
    }).toThrow("more often");
  });

  it("a bio without a pool is left to the heap", () => {
    expect(() => {
      new Bio().put();
    }).not.toThrow();
  });
});

describe("what a bio is", () => {
  it("an empty flush has no data and no sectors", () => {
    const bio = new Bio();
    bio.op = BioOp.Flush;
    bio.flags = BioFlag.Preflush;
    expect([bio.sectors, bio.hasData, bio.isFlush, bio.isSync]).toEqual([0, false, true, true]);
  });

  it.each([
    [BioOp.Read, 0, true],
    [BioOp.Write, 0, false],
    [BioOp.Write, BioFlag.Sync, true],
    [BioOp.Write, BioFlag.Fua, true],
  ])("operation %i with flags %i is synchronous: %s", (op, flags, isSync) => {
    const bio = tenKib();
    bio.op = op;
    bio.flags = flags;
    expect(bio.isSync).toBe(isSync);
  });

  it("names itself by operation, device and sectors", () => {
    const bio = tenKib();
    expect(String(bio)).toBe("READ nowhere [100..120)");
    bio.op = BioOp.WriteZeroes;
    bio.device = { name: "md0" };
    expect(String(bio)).toBe("WRITE_ZEROES md0 [100..120)");
    expect(opName(77 as BioOp)).toBe("OP_77");
  });

  it("goes towards the device unless it reads", () => {
    expect([BioOp.Read, BioOp.Write, BioOp.Discard].map(isWriteOp)).toEqual([false, true, true]);
  });

  it("brings no more vectors along than it has room for", () => {
    expect(() => new Bio(null, null, createVecs(5))).toThrow(InvariantError);
  });
});
