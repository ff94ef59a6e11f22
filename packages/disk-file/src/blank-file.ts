import { fstatSync } from "node:fs";
import { statfs } from "node:fs/promises";

/**
 * File systems that count a block before its data can be read back, delayed or not. Others, many
 * of them remote or in user space, say 0 and have data.
 */
const COUNTING: ReadonlySet<number> = new Set([
  /* ext2, ext3, ext4 */ 0xef53, /* XFS */ 0x5846_5342, /* Btrfs */ 0x9123_683e,
  /* tmpfs */ 0x0102_1994, /* overlayfs */ 0x794c_7630,
]);

/** Whether the file system of a path can be believed when it counts no blocks. */
export async function tellsBlocks(path: string): Promise<boolean> {
  const stats = await statfs(path).catch(() => null);
  return stats !== null && COUNTING.has(stats.type);
}

/** Whether a file has no data at all: asked of the system until it has some, and never again. */
export class BlankFile {
  readonly #fd: number;
  #mayBeBlank: boolean;

  constructor(fd: number, tellsBlocks: boolean) {
    this.#fd = fd;
    this.#mayBeBlank = tellsBlocks;
  }

  /** Waits: never; asks the system while the answer is yes. */
  isBlank(): boolean {
    if (!this.#mayBeBlank) return false;
    const stats = fstatSync(this.#fd);
    this.#mayBeBlank = stats.isFile() && stats.blocks === 0;
    return this.#mayBeBlank;
  }
}
