import type { Sectors } from "@blkstack/bio";
import type { TargetContext } from "@blkstack/block";
import { chunkSizeProblem } from "./cow-header.ts";
import type { CowIo } from "./cow-io.ts";
import type { ExceptionStore } from "./exception-store.ts";
import { PersistentStore } from "./persistent-store.ts";
import type { SnapshotArguments } from "./snapshot-arguments.ts";
import { TransientStore } from "./transient-store.ts";

/** Makes the store that a table asks for; it is still to be loaded. Throws what `context.error` makes. */
export function createStore(
  io: CowIo,
  given: SnapshotArguments,
  context: TargetContext,
): ExceptionStore {
  const chunkSectors = chunkSectorsOf(given.chunkText, io, context);
  const { isPersistent, isOverflowing: canOverflow } = given;
  const log = (message: string): void => {
    context.host.log(message);
  };
  if (isPersistent) return new PersistentStore({ io, chunkSectors, canOverflow, log });
  if (chunkSectors === 0) throw context.error("Chunk size not set");
  return new TransientStore(io, chunkSectors);
}

/** 0: whatever the store has, or what is usual. */
function chunkSectorsOf(text: string, io: CowIo, context: TargetContext): Sectors {
  const refused = (why: string) =>
    context.error("Couldn't create exception store", "EINVAL", `chunk size "${text}": ${why}`);
  if (!/^\d+$/.test(text)) throw refused("Chunk size is not an unsigned decimal number");
  const chunkSectors = Number(text);
  if (chunkSectors === 0) return 0;
  const problem = chunkSizeProblem(chunkSectors, io.logicalBlockBytes);
  if (problem !== null) throw refused(problem);
  return chunkSectors;
}
