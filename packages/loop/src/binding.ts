import { type Bytes, SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import { type BlockDevice, BlockError, type Errno } from "@blkstack/block";
import type { BackingFile } from "./backing-file.ts";

/** What a loop device is bound to. */
export interface LoopBinding {
  readonly file: BackingFile;
  /** Where in the file the device begins; 0 unless told. */
  readonly offsetBytes?: Bytes;
  /**
   * How large the device is, whatever the length of the file: writes make that longer, and what it
   * does not have yet cannot be read. Absent: as large as the file is behind the offset.
   */
  readonly sizeLimitBytes?: Bytes;
  /** The smallest unit that is read or written: a power of two from 512 to 4096. */
  readonly blockBytes?: Bytes;
  /** Refuses writes even if the file takes them. */
  readonly isReadOnly?: boolean;
}

/** A binding that was found to be good. */
export interface CheckedBinding {
  readonly file: BackingFile;
  readonly offsetBytes: Bytes;
  readonly blockBytes: Bytes;
  readonly sizeSectors: Sectors;
  readonly isReadOnly: boolean;
}

/** Offsets in bytes stay exact up to here. */
const MAX_BYTES = Number.MAX_SAFE_INTEGER;

/** Throws a BlockError, `BLK_DEVICE`, EINVAL, that says what would be right. */
export function checkBinding(name: string, binding: LoopBinding): CheckedBinding {
  const { file, offsetBytes = 0, sizeLimitBytes } = binding;
  const { label, blockBytes: fileBlockBytes = 1 } = file;
  const blockBytes = binding.blockBytes ?? Math.max(SECTOR_BYTES, fileBlockBytes);
  const refuse = (problem: string): never => {
    throw refusal(name, "EINVAL", `${label} ${problem}`);
  };
  if (file.kind === "other") {
    refuse("is neither a regular file nor a block device; give one of these");
  }
  if (![512, 1024, 2048, 4096].includes(blockBytes) || blockBytes % fileBlockBytes !== 0) {
    const least = String(Math.max(SECTOR_BYTES, fileBlockBytes));
    refuse(`in blocks of ${String(blockBytes)} bytes; give a power of two from ${least} to 4096`);
  }
  if (!isCount(offsetBytes) || offsetBytes % fileBlockBytes !== 0) {
    const unit = fileBlockBytes === 1 ? "" : `, a multiple of ${String(fileBlockBytes)}`;
    refuse(`from byte ${String(offsetBytes)} on; give a whole number from 0 on${unit}`);
  }
  if (sizeLimitBytes !== undefined && (!isCount(sizeLimitBytes) || sizeLimitBytes < blockBytes)) {
    refuse(
      `with a size of ${String(sizeLimitBytes)} bytes; give a whole number from ${String(blockBytes)} on`,
    );
  }
  const sizeBytes = sizeLimitBytes ?? file.sizeBytes - offsetBytes;
  if (sizeBytes < blockBytes) {
    refuse(
      `is ${String(file.sizeBytes)} bytes long, which leaves no block behind byte ${String(offsetBytes)}`,
    );
  }
  if (file.kind === "block" && offsetBytes + sizeBytes > file.sizeBytes) {
    refuse(
      `is ${String(file.sizeBytes)} bytes long and cannot grow; ` +
        `${String(offsetBytes + sizeBytes)} are asked for`,
    );
  }
  return {
    file,
    offsetBytes,
    blockBytes,
    sizeSectors: (Math.floor(sizeBytes / blockBytes) * blockBytes) / SECTOR_BYTES,
    isReadOnly: file.isReadOnly || binding.isReadOnly === true,
  };
}

/** A loop device, as far as one need know to follow a chain of them. */
export interface LoopLike extends BlockDevice {
  readonly file: BackingFile | null;
}

/**
 * Throws a BlockError, EBADF, when `file` is `loop`, or a loop device that stands on it: each would
 * wait for the other for ever.
 */
export function refuseSelfBacking(loop: LoopLike, file: BackingFile): void {
  const chain = [loop.name];
  let below = file.device;
  while (below !== undefined) {
    chain.push(below.name);
    if (below === loop) {
      throw refusal(
        loop.name,
        "EBADF",
        `it would stand on itself: ${chain.join(" -> ")}; bind one of them to something else`,
      );
    }
    below = isLoop(below) ? below.file?.device : undefined;
  }
}

function refusal(name: string, errno: Errno, problem: string): BlockError {
  return new BlockError("BLK_DEVICE", errno, `loop device "${name}": ${problem}`);
}

function isLoop(device: BlockDevice): device is LoopLike {
  return "file" in device;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value < MAX_BYTES;
}
