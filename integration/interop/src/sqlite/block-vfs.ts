import * as VFS from "wa-sqlite/src/VFS.js";
import { type BlockFiles, FILE_NAMES, type FileName } from "./block-files.ts";

/** Some of the package's types speak of an older shape of it: it is the memory itself. */
type Data = Parameters<VFS.Base["xRead"]>[1] | Uint8Array;

/** What SQLite asks of a filesystem, done on a block device: `xSync` is a flush of it. */
export class BlockVfs extends VFS.Base {
  readonly name = "block";
  readonly #files: BlockFiles;
  readonly #open = new Map<number, FileName>();

  constructor(files: BlockFiles) {
    super();
    this.#files = files;
  }

  override xOpen(path: string | null, fileId: number, flags: number, outFlags: DataView): number {
    const name = fileNameOf(path);
    if (name === undefined) return VFS.SQLITE_CANTOPEN;
    if (!this.#files.exists(name) && (flags & VFS.SQLITE_OPEN_CREATE) === 0) {
      return VFS.SQLITE_CANTOPEN;
    }
    this.#files.create(name);
    this.#open.set(fileId, name);
    outFlags.setInt32(0, flags, true);
    return VFS.SQLITE_OK;
  }

  override xClose(fileId: number): number {
    this.#open.delete(fileId);
    return VFS.SQLITE_OK;
  }

  override xRead(fileId: number, data: Data, offset: number): number {
    const into = memoryOf(data);
    return this.#wait(async () => {
      const isWhole = await this.#files.read(this.#nameOf(fileId), into, offset);
      return isWhole ? VFS.SQLITE_OK : VFS.SQLITE_IOERR_SHORT_READ;
    });
  }

  override xWrite(fileId: number, data: Data, offset: number): number {
    // The memory of SQLite may move while the write is under way.
    const bytes = memoryOf(data).slice();
    return this.#do(() => this.#files.write(this.#nameOf(fileId), bytes, offset));
  }

  override xTruncate(fileId: number, size: number): number {
    return this.#do(() => this.#files.truncate(this.#nameOf(fileId), size));
  }

  override xSync(fileId: number): number {
    return this.#do(() => this.#files.sync(this.#nameOf(fileId)));
  }

  override xFileSize(fileId: number, size: DataView): number {
    size.setBigInt64(0, BigInt(this.#files.sizeOf(this.#nameOf(fileId))), true);
    return VFS.SQLITE_OK;
  }

  override xDelete(path: string, syncDirectory: number): number {
    const name = fileNameOf(path);
    if (name === undefined) return VFS.SQLITE_OK;
    // SQLite calls this again when it goes on: what is asked outside may not differ then.
    return this.#do(async () => {
      if (this.#files.exists(name)) await this.#files.remove(name);
      if (syncDirectory !== 0) await this.#files.syncDirectory();
    });
  }

  override xAccess(path: string, _flags: number, result: DataView): number {
    const name = fileNameOf(path);
    result.setInt32(0, name !== undefined && this.#files.exists(name) ? 1 : 0, true);
    return VFS.SQLITE_OK;
  }

  #nameOf(fileId: number): FileName {
    const name = this.#open.get(fileId);
    if (name === undefined) throw new Error(`no open file has the number ${String(fileId)}`);
    return name;
  }

  #do(body: () => Promise<void>): number {
    return this.#wait(async () => {
      await body();
      return VFS.SQLITE_OK;
    });
  }

  /** Only here may SQLite be suspended; `handleAsync` comes from the Asyncify build. */
  #wait(body: () => Promise<number>): number {
    return this.handleAsync(() =>
      body().catch((error: unknown) => {
        process.stderr.write(`block-vfs: ${String(error)}\n`);
        return VFS.SQLITE_IOERR;
      }),
    );
  }
}

function fileNameOf(path: string | null): FileName | undefined {
  return FILE_NAMES.find((name) => name === path?.replace(/^\//, ""));
}

function memoryOf(data: Data): Uint8Array {
  return data instanceof Uint8Array ? data : data.value;
}
