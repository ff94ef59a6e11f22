import { readFile, rename, writeFile } from "node:fs/promises";
import { type Checkpoint, type CheckpointStore, parseCheckpoint } from "../checkpoint.ts";

/**
 * Keeps checkpoints in a file, which is never half written: the last one is there until the next is
 * whole. Saving rejects with what the file system says.
 */
export function checkpointFile(path: string): CheckpointStore {
  return {
    async save(checkpoint) {
      const fresh = `${path}.new`;
      await writeFile(fresh, `${JSON.stringify(checkpoint)}\n`);
      await rename(fresh, path);
    },
  };
}

/** Reads what `checkpointFile` has kept. Throws a CheckpointError, or what the file system says. */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  return parseCheckpoint(await readFile(path, "utf8"));
}
