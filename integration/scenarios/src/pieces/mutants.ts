// Ways to cut a bio that are wrong, behind the extension point that everybody has.
import { type Bio, chainBio, cloneBio, invariant } from "@blkstack/bio";
import { frontClone, loop, type SplitPolicy } from "@blkstack/device-mapper";
import { GFP_NOIO, type Task } from "@blkstack/task";

type Mapper = Parameters<SplitPolicy["rest"]>[0];
type Account = Parameters<SplitPolicy["rest"]>[1];

/** M13: nobody waits for the front; the original ends when its own piece has. */
export const unchained: SplitPolicy = {
  name: "unchained",
  isInPlace: false,
  async rest(mapper, io, bio, task) {
    const front = await cut(mapper, bio, io.pieceSectors, task);
    front.endIo = (ended) => {
      ended.put();
    };
    giveFront(io, front);
    await mapper.submitter.submitBio(bio, task);
  },
};

/** M14: goes on behind what was meant to be taken, not behind what was. */
export const plannedLength: SplitPolicy = {
  name: "planned-length",
  isInPlace: false,
  async rest(mapper, io, bio, task) {
    const planned = mapper.table.find(bio.sector)?.pieceSectors(bio.sector, bio.sectors) ?? 0;
    if (planned >= bio.sectors) {
      io.drop();
      return;
    }
    const front = await cut(mapper, bio, planned, task);
    chainBio(front, bio);
    giveFront(io, front);
    await mapper.submitter.submitBio(bio, task);
  },
};

/** M15: takes sectors for bytes. */
export const sectorsForBytes: SplitPolicy = {
  name: "sectors-for-bytes",
  isInPlace: false,
  async rest(mapper, io, bio, task) {
    const remainder = await mapper.pools.splits.alloc(GFP_NOIO, 0, task);
    invariant(remainder !== null, "no bio for a caller who may wait");
    cloneBio(bio, remainder);
    remainder.advance(io.pieceSectors);
    chainBio(remainder, bio);
    io.drop();
    await mapper.submitter.submitBio(remainder, task);
  },
};

/** M16: maps the rest at once, and submits it to the device as well. */
export const loopsAndResubmits: SplitPolicy = {
  name: "loops-and-resubmits",
  isInPlace: false,
  async rest(mapper, io, bio, task) {
    const again = await mapper.pools.splits.alloc(GFP_NOIO, 0, task);
    invariant(again !== null, "no bio for a caller who may wait");
    cloneBio(bio, again);
    again.advance(io.pieceSectors * 512);
    chainBio(again, bio);
    await mapper.submitter.submitBio(again, task);
    await loop.rest(mapper, io, bio, task);
  },
};

/** M17: calls itself for each piece. */
export const recursive: SplitPolicy = {
  name: "recursive",
  isInPlace: false,
  rest(mapper, io, bio, task) {
    const front = mapper.pools.splits.split(bio, io.pieceSectors, GFP_NOIO, task);
    invariant(front !== null && "endIo" in front, "memory enough, and yet a wait");
    chainBio(front, bio);
    giveFront(io, front);
    return mapper.map(bio, task);
  },
};

/** M10: one piece at a time where there is data, all in one call where there is none. */
export const dataOnly: SplitPolicy = {
  name: "data-only",
  isInPlace: false,
  rest(mapper, io, bio, task) {
    const policy = bio.vecMax > 0 ? frontClone : loop;
    return policy.rest(mapper, io, bio, task);
  },
};

async function cut(mapper: Mapper, bio: Bio, sectors: number, task: Task): Promise<Bio> {
  const front = await mapper.pools.splits.split(bio, sectors, GFP_NOIO, task);
  invariant(front !== null, "no bio for a caller who may wait");
  return front;
}

/** What was mapped belongs to `front` from here on. */
function giveFront(io: Account, front: Bio): void {
  io.original = front;
  if (io.firstClone !== null) io.firstClone.parent = front;
  io.drop();
}
