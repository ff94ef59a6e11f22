import { type Bio, BioFlag, BioOp, SECTOR_BYTES } from "@blkstack/bio";
import { Command, CommandFlag } from "../wire.ts";
import type { Slot } from "./slot.ts";

/** Whether a flush is asked for, alone or before data. */
export function isFlush(bio: Bio): boolean {
  return bio.op === BioOp.Flush || (bio.flags & BioFlag.Preflush) !== 0;
}

/** Makes of a slot the request for what a bio is about. */
export function fillData(slot: Slot, bio: Bio, isDurable: boolean): void {
  slot.command = commandOf(bio.op);
  slot.flags = isDurable ? CommandFlag.Fua : 0;
  if (bio.op === BioOp.WriteZeroes && (bio.flags & BioFlag.NoUnmap) !== 0) {
    slot.flags |= CommandFlag.NoHole;
  }
  slot.offsetBytes = bio.sector * SECTOR_BYTES;
  slot.lengthBytes = bio.sizeBytes;
}

/** Makes of a slot a flush of all writes that were answered up to `mark`. */
export function fillFlush(slot: Slot, mark: number): void {
  slot.command = Command.Flush;
  slot.flags = 0;
  slot.offsetBytes = 0;
  slot.lengthBytes = 0;
  slot.answeredWrites = mark;
}

function commandOf(op: BioOp): number {
  if (op === BioOp.Read) return Command.Read;
  if (op === BioOp.Write) return Command.Write;
  return op === BioOp.Discard ? Command.Trim : Command.WriteZeroes;
}
