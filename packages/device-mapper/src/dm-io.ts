import { type Bio, bioEndio, BioList, BioOp, BioStatus, chainBio, cloneBio } from "@blkstack/bio";
import { SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import type { Drain } from "./drain.ts";
import { targetIoOf } from "./target-io.ts";

// A constant of this module is part of the machine code; what is imported is looked up each time.
const OK = BioStatus.Ok;

/** What an account needs of the mapped device that it was opened at. */
export interface IoOwner {
  /** Whether a suspend is under way that wants bios back rather than wait for them. */
  takesBack(): boolean;
  /** Bios with an open account. */
  readonly inFlight: Drain;
  /** Keeps the bio until the device is resumed. */
  pushBack(bio: Bio): void;
  /** The flush that a bio with data asked for is over. */
  flushEnded(original: Bio, status: BioStatus): void;
}

/**
 * The account of one bio that was handed to a mapped device: what of it is still under way, and
 * what became of the rest. It ends when the last clone has, and when whoever cuts is done.
 */
export class DmIo {
  owner: IoOwner | null = null;
  /** What ends when the account does: the bio that came, or the front that was cut off it. */
  original: Bio | null = null;
  /** The clone that this account came with; it goes back with it. */
  firstClone: Bio | null = null;
  pending = 0;
  status: BioStatus = BioStatus.Ok;
  /** Whether the clones are of the empty flush before the data. */
  isFlush = false;
  /** Whether `original` spans several pieces, so that it must not be sent again as a whole. */
  hasPieces = false;
  /** How much of the piece that is being mapped the target has taken. */
  pieceSectors: Sectors = 0;
  isMapping = false;
  /** Whether all of `original` is to be sent again. */
  #isPushedBack = false;
  /** Clones that were pushed back; made for the first of them. */
  #pushedBack: BioList | null = null;

  /** Opens the account, with one reference for whoever cuts. */
  begin(owner: IoOwner, original: Bio, firstClone: Bio): void {
    this.owner = owner;
    this.original = original;
    this.firstClone = firstClone;
    this.pending = 1;
    this.status = OK;
    this.isFlush = false;
    this.hasPieces = false;
    this.#isPushedBack = false;
  }

  /** Notes an error. The latest counts; none, if all is sent again anyway. */
  fail(status: BioStatus): void {
    this.status = status;
  }

  /** A clone is over. Interrupt context. */
  cloneEnded(clone: Bio, status: BioStatus): void {
    if (status === BioStatus.DmRequeue) {
      this.#cameBack(clone);
      return;
    }
    if (clone !== this.firstClone) clone.put();
    if (status !== BioStatus.Ok) this.fail(status);
    this.drop();
  }

  /** What was given back while somebody wants bios back is sent again, whatever he does later. */
  #cameBack(clone: Bio): void {
    const isTaken = this.owner?.takesBack() === true;
    if (isTaken && this.hasPieces) {
      this.#pushedBack ??= new BioList();
      this.#pushedBack.add(clone);
      this.drop();
      return;
    }
    if (clone !== this.firstClone) clone.put();
    // Nobody above knows what a push-back is.
    if (isTaken) this.#isPushedBack = true;
    else this.fail(BioStatus.IoError);
    this.drop();
  }

  /** Gives a reference back; the last one ends the original. Interrupt context. */
  drop(): void {
    this.pending -= 1;
    if (this.pending === 0) this.#end();
  }

  #end(): void {
    const { owner, original, firstClone } = this;
    if (owner === null || original === null) return;
    // Nearly all end here.
    if (this.status === OK && !this.isFlush && !this.#isPushedBack && this.#pushedBack === null) {
      this.original = null;
      this.firstClone = null;
      owner.inFlight.leave(original);
      firstClone?.put();
      bioEndio(original);
      return;
    }
    this.#endSpecially(owner, original, firstClone);
  }

  #endSpecially(owner: IoOwner, original: Bio, firstClone: Bio | null): void {
    const { isFlush, status } = this;
    const isPushedBack = this.#isPushedBack;
    this.original = null;
    this.firstClone = null;
    const pieces = this.#pushedBack;
    const keepsFirst = pieces !== null && pushBackPieces(pieces, owner, original, firstClone);
    if (isPushedBack) owner.pushBack(original);
    owner.inFlight.leave(original);
    if (!keepsFirst) firstClone?.put();
    if (isPushedBack) return;
    // To flush as such has no data, whatever its size.
    if (isFlush && original.sizeBytes > 0 && original.op !== BioOp.Flush) {
      owner.flushEnded(original, status);
      return;
    }
    if (original.status === BioStatus.Ok) original.status = status;
    bioEndio(original);
  }
}

/**
 * Turns clones that were pushed back into bios for exactly their pieces, which the original
 * waits for. Answers whether `firstClone` is among them.
 */
function pushBackPieces(
  pieces: BioList,
  owner: IoOwner,
  original: Bio,
  firstClone: Bio | null,
): boolean {
  let keepsFirst = false;
  for (let piece = pieces.pop(); piece !== null; piece = pieces.pop()) {
    const { sector, sectors } = targetIoOf(piece);
    keepsFirst ||= piece === firstClone;
    piece.reset();
    cloneBio(original, piece);
    piece.advance((sector - original.sector) * SECTOR_BYTES);
    piece.sizeBytes = sectors * SECTOR_BYTES;
    chainBio(piece, original);
    owner.pushBack(piece);
  }
  return keepsFirst;
}
