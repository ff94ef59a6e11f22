import { type Bio, BioStatus, chainBio, cloneBio } from "@blkstack/bio";
import { SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import { type Awaitable, isPending, type Task } from "@blkstack/task";
import { type BioMapper, gfpFor } from "./bio-mapper.ts";
import type { DmIo } from "./dm-io.ts";

/** What happens to the rest of a bio of which one piece was mapped. */
export interface SplitPolicy {
  readonly name: string;
  /** Whether the pieces of one bio share one account, so that none can be sent again alone. */
  readonly isInPlace: boolean;
  /**
   * Goes on behind the first `io.pieceSectors` of `bio`, and drops the reference of `io` that was
   * held for cutting. Waits: for a bio to cut with, and as the targets do.
   */
  rest(mapper: BioMapper, io: DmIo, bio: Bio, task: Task): Awaitable<void>;
}

/**
 * The piece that was mapped gets a bio of its own, and the original, which is the rest now, is
 * submitted to the device again. So nothing is mapped behind a piece that still is parked, and each
 * piece can end, and give its bio back, without the others. Linux since 4.16 (18a25da84354).
 */
export const frontClone: SplitPolicy = {
  name: "front-clone",
  isInPlace: false,
  rest(mapper, io, bio, task) {
    const front = mapper.pools.splits.split(bio, io.pieceSectors, gfpFor(bio), task);
    return isPending(front)
      ? cutFrontLater(front, mapper, { io, bio }, task)
      : cutFront(front, mapper, { io, bio }, task);
  },
};

interface Cut {
  readonly io: DmIo;
  readonly bio: Bio;
}

async function cutFrontLater(
  front: Promise<Bio | null>,
  mapper: BioMapper,
  cut: Cut,
  task: Task,
): Promise<void> {
  await cutFront(await front, mapper, cut, task);
}

function cutFront(front: Bio | null, mapper: BioMapper, cut: Cut, task: Task): Awaitable<void> {
  const { io, bio } = cut;
  if (front === null) {
    giveUp(io);
    return;
  }
  chainBio(front, bio);
  io.original = front;
  if (io.firstClone !== null) io.firstClone.parent = front;
  io.drop();
  return mapper.submitter.submitBio(bio, task);
}

/**
 * As first proposed: the rest gets the new bio, for which the original waits. All functional tests
 * pass; but each rest lives until the last piece was mapped, and so a long bio without memory
 * never ends.
 */
export const remainderClone: SplitPolicy = {
  name: "remainder-clone",
  isInPlace: false,
  rest(mapper, io, bio, task) {
    const remainder = mapper.pools.splits.alloc(gfpFor(bio), 0, task);
    return isPending(remainder)
      ? submitRemainderLater(remainder, mapper, { io, bio }, task)
      : submitRemainder(remainder, mapper, { io, bio }, task);
  },
};

async function submitRemainderLater(
  remainder: Promise<Bio | null>,
  mapper: BioMapper,
  cut: Cut,
  task: Task,
): Promise<void> {
  await submitRemainder(await remainder, mapper, cut, task);
}

function submitRemainder(
  remainder: Bio | null,
  mapper: BioMapper,
  { io, bio }: Cut,
  task: Task,
): Awaitable<void> {
  if (remainder === null) {
    giveUp(io);
    return;
  }
  cloneBio(bio, remainder);
  remainder.advance(io.pieceSectors * SECTOR_BYTES);
  // What is left of the original is the piece, and that is all that may ever be sent again.
  bio.sizeBytes = io.pieceSectors * SECTOR_BYTES;
  chainBio(remainder, bio);
  io.drop();
  return mapper.submitter.submitBio(remainder, task);
}

/**
 * All pieces are mapped in one call, so that a piece may sleep in `map` while those before it are
 * parked on the same task. Up to Linux 4.15.
 */
export const loop: SplitPolicy = {
  name: "loop",
  isInPlace: true,
  rest(mapper, io, bio, task) {
    io.hasPieces = true;
    return mapFrom(bio.sector + io.pieceSectors, mapper, { io, bio }, task);
  },
};

function mapFrom(sector: Sectors, mapper: BioMapper, cut: Cut, task: Task): Awaitable<void> {
  const { io, bio } = cut;
  const { endSector } = bio;
  for (let next = sector; next < endSector;) {
    const clone = mapper.pools.clones.alloc(gfpFor(bio), 0, task);
    if (isPending(clone)) return mapLater(clone, next, { mapper, cut }, task);
    if (clone === null) {
      giveUp(io);
      return;
    }
    const mapped = mapPiece(clone, next, { mapper, cut }, task);
    if (mapped !== undefined) return continueLater(mapped, next, { mapper, cut }, task);
    next += io.pieceSectors;
  }
  io.drop();
}

interface Looping {
  readonly mapper: BioMapper;
  readonly cut: Cut;
}

async function mapLater(
  allocation: Promise<Bio | null>,
  sector: Sectors,
  looping: Looping,
  task: Task,
): Promise<void> {
  const clone = await allocation;
  if (clone === null) {
    giveUp(looping.cut.io);
    return;
  }
  await mapPiece(clone, sector, looping, task);
  await mapFrom(sector + looping.cut.io.pieceSectors, looping.mapper, looping.cut, task);
}

async function continueLater(
  mapped: Promise<void>,
  sector: Sectors,
  { mapper, cut }: Looping,
  task: Task,
): Promise<void> {
  await mapped;
  await mapFrom(sector + cut.io.pieceSectors, mapper, cut, task);
}

function mapPiece(
  clone: Bio,
  sector: Sectors,
  { mapper, cut: { io, bio } }: Looping,
  task: Task,
): Awaitable<void> {
  cloneBio(bio, clone);
  clone.advance((sector - bio.sector) * SECTOR_BYTES);
  return mapper.mapPiece(clone, io, task);
}

/** The rest of a bio that must not wait would have to: the submitter is to send all of it again. */
function giveUp(io: DmIo): void {
  io.fail(BioStatus.Again);
  io.drop();
}
