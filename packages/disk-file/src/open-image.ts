import * as fs from "node:fs/promises";
import { constants, fstat, ftruncate, open as openFd, type Stats } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { type Bytes, SECTOR_BYTES } from "@blkstack/bio";
import { BlockError, type Errno, ERRNO_MESSAGES } from "@blkstack/block";
import { tellsBlocks } from "./blank-file.ts";
import { errorCode } from "./errno.ts";

export interface ImageOptions {
  /** What the disk is called. */
  readonly name: string;
  readonly path: string;
  /** Opens the file for reading only; writes end with ReadOnly. */
  readonly isReadOnly?: boolean;
  /** Makes the file, of `sizeBytes` and without data, if there is none. */
  readonly create?: boolean;
  /**
   * For a file: the size that it must have, or gets when it is made. For a block device, whose
   * size Node cannot ask for: its size, or less.
   */
  readonly sizeBytes?: Bytes;
  /**
   * Goes past the page cache of the host. Memory must then begin and end at multiples of what the
   * host asks for, mostly 512 bytes: `QueueLimits.dmaAlignmentMask` says so to those above, and
   * `@blkstack/dm-bounce` sees to it. Bios with other memory end with IoError.
   */
  readonly isDirect?: boolean;
}

export interface OpenImage {
  readonly fd: number;
  readonly sizeBytes: Bytes;
  readonly isNew: boolean;
  /** Whether a count of no blocks means that there is no data. */
  readonly tellsBlocks: boolean;
}

const openFile = promisify(openFd);
const statFile = promisify(fstat);
const truncateFile = promisify(ftruncate);

/** Opens or makes an image. Throws a BlockError that says what would be right. */
export async function openImage(options: ImageOptions): Promise<OpenImage> {
  checkSize(options);
  const stats = await statImage(options);
  if (stats === null) return createImage(options);
  const sizeBytes = checkKind(options, stats);
  const mode = openMode(options);
  try {
    const fd = await openFile(options.path, mode);
    return { fd, sizeBytes, isNew: false, tellsBlocks: await tellsBlocks(options.path) };
  } catch (error) {
    const hint = "give it read and write permission, or open it read-only";
    throw failed(options, error, options.isReadOnly === true ? "make it readable" : hint);
  }
}

function openMode({ isReadOnly, isDirect }: ImageOptions): number {
  const mode = isReadOnly === true ? constants.O_RDONLY : constants.O_RDWR;
  return isDirect === true ? mode | constants.O_DIRECT : mode;
}

/** How long an open file is now; null for a block device, and when the system does not say. */
export async function imageSize(fd: number): Promise<Bytes | null> {
  const stats = await statFile(fd).catch(() => null);
  return stats?.isFile() === true ? stats.size : null;
}

/**
 * Makes an open file longer, by zeroes that take no space; one that is long enough stays as it is.
 * Throws a BlockError, `BLK_DEVICE`, for a disk that cannot become so long.
 */
export async function growImage(
  options: ImageOptions,
  fd: number,
  sizeBytes: Bytes,
): Promise<void> {
  checkSize({ ...options, sizeBytes });
  const before = await imageSize(fd);
  if (before === null) {
    throw fail(options, "EINVAL", "make the device itself longer", "is no file");
  }
  if (before >= sizeBytes) return;
  const has = `is ${String(before)} bytes long`;
  if (options.isReadOnly === true) {
    throw fail(options, "EROFS", "it is open for reading only: make it longer yourself", has);
  }
  try {
    await truncateFile(fd, sizeBytes);
  } catch (error) {
    throw failed(options, error, `it cannot be made ${String(sizeBytes)} bytes long`);
  }
}

function checkSize({ name, path, sizeBytes }: ImageOptions): void {
  if (sizeBytes === undefined) return;
  if (Number.isSafeInteger(sizeBytes) && sizeBytes >= SECTOR_BYTES) return;
  throw new BlockError(
    "BLK_DEVICE",
    "EINVAL",
    `disk "${name}": ${path}: a size of ${String(sizeBytes)} bytes; ` +
      `give a whole number from ${String(SECTOR_BYTES)} on`,
  );
}

/** Asked before the file is opened, for to open a pipe would wait for its other end. */
async function statImage(options: ImageOptions): Promise<Stats | null> {
  try {
    return await fs.stat(options.path);
  } catch (error) {
    if (errorCode(error) !== "ENOENT") {
      throw failed(options, error, "every folder on the way must be there and be searchable");
    }
    if (options.create === true) return null;
    throw fail(options, "ENOENT", "check the path, or give create and a size to make it");
  }
}

/** The size to serve, if the file can be served as it is asked for. */
function checkKind(options: ImageOptions, stats: Stats): Bytes {
  const { sizeBytes } = options;
  if (stats.isBlockDevice()) {
    if (sizeBytes !== undefined) return sizeBytes;
    throw fail(options, "EINVAL", "it is a block device: give its size", "of unknown size");
  }
  if (stats.isDirectory()) throw fail(options, "EISDIR", "give the path of an image file");
  if (!stats.isFile()) {
    throw fail(options, "EINVAL", "give an image file or a block device", "is neither");
  }
  const has = `is ${String(stats.size)} bytes long`;
  if (sizeBytes !== undefined && sizeBytes !== stats.size) {
    const errno = options.create === true ? "EEXIST" : "EINVAL";
    throw fail(
      options,
      errno,
      `asked for were ${String(sizeBytes)}; give its own size or none, for it will not be resized`,
      has,
    );
  }
  if (stats.size < SECTOR_BYTES) {
    const hint = `a disk has at least one sector of ${String(SECTOR_BYTES)}; resize it first`;
    throw fail(options, "EINVAL", hint, has);
  }
  return stats.size;
}

async function createImage(options: ImageOptions): Promise<OpenImage> {
  const { path, sizeBytes } = options;
  if (sizeBytes === undefined) throw fail(options, "EINVAL", "give its size", "is to be made");
  if (options.isReadOnly === true) {
    throw fail(options, "EINVAL", "a new file cannot be read-only", "is to be made");
  }
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL;
  let file: fs.FileHandle;
  try {
    file = await fs.open(path, flags, 0o666);
  } catch (error) {
    throw failed(options, error, "the folder must be there and be writable");
  }
  try {
    await file.truncate(sizeBytes);
    await file.sync();
    await syncFolder(dirname(path));
    // A handle would close the file when it is collected; a number stays ours.
    const fd = await openFile(path, openMode(options));
    return { fd, sizeBytes, isNew: true, tellsBlocks: await tellsBlocks(path) };
  } catch (error) {
    await fs.rm(path, { force: true });
    throw failed(options, error, `a file of ${String(sizeBytes)} bytes cannot be made there`);
  } finally {
    await file.close();
  }
}

/** Makes the name of a new file durable: a flush must not be lost together with its file. */
async function syncFolder(path: string): Promise<void> {
  const folder = await fs.open(path, constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** A call failed: says how, and what would be right. */
function failed(options: ImageOptions, error: unknown, hint: string): BlockError {
  const code = errorCode(error);
  if (code in ERRNO_MESSAGES) return fail(options, code as Errno, hint);
  const [what = code] = error instanceof Error ? error.message.split(", ") : [];
  return fail(options, "EIO", hint, what);
}

/** `disk "a": /x/a.img: No such file or directory; check the path, …`. */
function fail(options: ImageOptions, errno: Errno, hint: string, what?: string): BlockError {
  const state = what ?? ERRNO_MESSAGES[errno];
  const message = `disk "${options.name}": ${options.path}: ${state}; ${hint}`;
  return new BlockError("BLK_DEVICE", errno, message);
}
