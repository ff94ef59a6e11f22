import { constants, open as openFd, type Stats } from "node:fs";
import * as fs from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import type { Bytes } from "@blkstack/bio";
import { BlockError, type Errno, ERRNO_MESSAGES } from "@blkstack/block";
import { type FileCalls, loadFileCalls } from "@blkstack/file-calls";
import { type Files, type HolePuncher, NODE_FILES } from "./files.ts";
import { NodeFile } from "./node-file.ts";

export interface OpenFileOptions {
  readonly path: string;
  readonly isReadOnly?: boolean;
  /** Makes the file, of `sizeBytes` and without data, if there is none. */
  readonly create?: boolean;
  /** Of a file that is to be made; of a block device, whose size Node cannot ask for. */
  readonly sizeBytes?: Bytes;
  /**
   * Reads and writes up to this size are done inside the call: cheaper than a thread by half, but
   * without `calls` everything else waits when the data is not in the page cache. Default 256 KiB;
   * 0: none.
   */
  readonly syncLimitBytes?: Bytes;
  /** Punches holes. Default: `calls`; null: none, and so the device takes no discards. */
  readonly holes?: HolePuncher | null;
  /**
   * What Node alone cannot do. Default: what `@blkstack/file-calls` has for this machine, and nothing
   * if there are `files`; null: nothing.
   */
  readonly calls?: FileCalls | null;
  /** The calls that serve commands. Default: those of `node:fs`. */
  readonly files?: Files;
}

/** A file to bind a loop device to, and whether it was made for that. */
export interface OpenFile {
  readonly file: NodeFile;
  readonly isNew: boolean;
}

const SYNC_LIMIT_BYTES = 256 * 1024;
const openAt = promisify(openFd);

/**
 * Opens a file of the system, and makes it first if that is asked for.
 *
 * Throws a BlockError, `BLK_DEVICE`, that names the path and what would be right: ENOENT, EACCES and
 * the like, EINVAL for what is neither a regular file nor a block device.
 */
export async function openBackingFile(options: OpenFileOptions): Promise<OpenFile> {
  const { path, isReadOnly = false, sizeBytes, files = NODE_FILES } = options;
  const usual = options.files === undefined ? await loadFileCalls() : null;
  const { calls = usual } = options;
  const { holes = calls } = options;
  const stats = (await statFile(options)) ?? (await createFile(options));
  const kind = kindOf(options, stats);
  let fd: number;
  try {
    fd = await openAt(path, isReadOnly ? constants.O_RDONLY : constants.O_RDWR);
  } catch (error) {
    const hint = "give it read and write permission, or open it read-only";
    throw failed(path, error, isReadOnly ? "make it readable" : hint);
  }
  const file = new NodeFile({
    fd,
    path,
    kind,
    isReadOnly,
    syncLimitBytes: options.syncLimitBytes ?? SYNC_LIMIT_BYTES,
    ...(kind === "block" && sizeBytes !== undefined ? { sizeBytes } : {}),
    files,
    calls,
    holes,
  });
  return { file, isNew: stats === "new" };
}

/** Asked before the file is opened, for to open a pipe would wait for its other end. */
async function statFile({ path, create }: OpenFileOptions): Promise<Stats | null> {
  try {
    return await fs.stat(path);
  } catch (error) {
    if (codeOf(error) !== "ENOENT") {
      throw failed(path, error, "every folder on the way must be there and be searchable");
    }
    if (create === true) return null;
    throw failed(path, error, "check the path, or give create and a size to make it");
  }
}

function kindOf({ path, sizeBytes }: OpenFileOptions, stats: Stats | "new"): "regular" | "block" {
  if (stats === "new" || stats.isFile()) return "regular";
  if (!stats.isBlockDevice()) {
    throw complaint(
      path,
      "EINVAL",
      "is neither a regular file nor a block device; give one of these",
    );
  }
  if (sizeBytes === undefined) {
    throw complaint(path, "EINVAL", "is a block device of unknown size; give its size");
  }
  return "block";
}

async function createFile({ path, sizeBytes, isReadOnly }: OpenFileOptions): Promise<"new"> {
  if (sizeBytes === undefined) throw complaint(path, "EINVAL", "is to be made; give its size");
  if (isReadOnly === true) {
    throw complaint(path, "EINVAL", "is to be made; a new file cannot be read-only");
  }
  try {
    const file = await fs.open(path, "wx", 0o666);
    try {
      await file.truncate(sizeBytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await syncFolder(dirname(path));
    return "new";
  } catch (error) {
    throw failed(path, error, `a file of ${String(sizeBytes)} bytes cannot be made there`);
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
function failed(path: string, error: unknown, hint: string): BlockError {
  const code = codeOf(error);
  if (code in ERRNO_MESSAGES) {
    const errno = code as Errno;
    return complaint(path, errno, `${ERRNO_MESSAGES[errno]}; ${hint}`, ": ");
  }
  const [what = code] = error instanceof Error ? error.message.split(", ") : [];
  return complaint(path, "EIO", `${what}; ${hint}`, ": ");
}

function complaint(path: string, errno: Errno, problem: string, joint = " "): BlockError {
  return new BlockError("BLK_DEVICE", errno, `${path}${joint}${problem}`);
}

/** The name of the errno, or an empty text when the error brings none. */
function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : "";
}
