import type { PreparedCallback } from "@blkstack/kcopyd";
import { TrackedBio } from "./tracked-chunks.ts";

/** What a snapshot keeps with each of its bios. */
export class BioData extends TrackedBio {
  /** What is to be called when this bio, which writes a whole chunk, has ended. */
  callback: PreparedCallback | null = null;
}
