import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { SECTOR_BYTES } from "@blkstack/bio";
import type { StackPlan } from "./stack-file.ts";

/**
 * Tells of each image that ends inside a sector: what lies behind its last whole one is not served, and
 * who copies the disk should not find that out by himself. The images are there.
 */
export async function tellOddSizes(
  { description, baseDirectory }: StackPlan,
  tell: (line: string) => void,
): Promise<void> {
  for (const [name, disk] of description.disks) {
    if (disk.kind !== "file") continue;
    const { size } = await stat(resolve(baseDirectory, disk.path));
    const restBytes = size % SECTOR_BYTES;
    if (restBytes === 0) continue;
    tell(
      `disk ${JSON.stringify(name)}: ${disk.path} is ${String(size)} bytes long; the last ` +
        `${String(restBytes)} are no whole sector of ${String(SECTOR_BYTES)}, and are not served`,
    );
  }
}
