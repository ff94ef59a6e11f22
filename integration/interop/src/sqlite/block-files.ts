import type { NbdClient } from "@blkstack/nbd";

export const FILE_NAMES = ["db", "db-journal", "db-wal"] as const;
export type FileName = (typeof FILE_NAMES)[number];

const SECTOR_BYTES = 512;
/** The directory, and then a region for each file: what each may be long. */
const REGION_BYTES = 1 << 20;

interface FileState {
  sizeBytes: number;
  exists: boolean;
  /** Whether the directory says the same. */
  isEntered: boolean;
  /** Whether it was removed or made shorter, and that may not be durable yet. */
  isFreed: boolean;
}

/**
 * Three files on a block device, as a simple filesystem would keep them: each in a region of its own,
 * with a sector of the directory that says `NAME SIZE` in text, or nothing. A file grows for good when
 * it is synced, its data first; it is removed or made shorter at once, for good by the next sync of any
 * file; and what that has freed is not written over before it is durable.
 */
export class BlockFiles {
  readonly #client: NbdClient;
  readonly #states: Record<FileName, FileState>;

  private constructor(client: NbdClient, states: Record<FileName, FileState>) {
    this.#client = client;
    this.#states = states;
  }

  static async open(client: NbdClient): Promise<BlockFiles> {
    const state = async (name: FileName): Promise<FileState> => {
      const entry = await client.read(entryOffset(name), SECTOR_BYTES);
      const [found, size] = Buffer.from(entry).toString().replace(/\0+$/, "").trim().split(" ");
      const exists = found === name;
      return { exists, sizeBytes: exists ? Number(size) : 0, isEntered: true, isFreed: false };
    };
    return new BlockFiles(client, {
      db: await state("db"),
      "db-journal": await state("db-journal"),
      "db-wal": await state("db-wal"),
    });
  }

  exists(name: FileName): boolean {
    return this.#states[name].exists;
  }

  sizeOf(name: FileName): number {
    return this.#states[name].sizeBytes;
  }

  create(name: FileName): void {
    const state = this.#states[name];
    if (state.exists) return;
    state.exists = true;
    state.isEntered = false;
  }

  /** Fills `into`; answers false, and zeroes, where the file has ended. */
  async read(name: FileName, into: Uint8Array, offset: number): Promise<boolean> {
    const there = Math.max(0, Math.min(into.length, this.#states[name].sizeBytes - offset));
    into.fill(0, there);
    if (there > 0) into.set(await this.#client.read(regionOffset(name) + offset, there));
    return there === into.length;
  }

  async write(name: FileName, bytes: Uint8Array, offset: number): Promise<void> {
    const state = this.#states[name];
    const end = offset + bytes.length;
    if (end > REGION_BYTES) throw new RangeError(`${name} is full`);
    if (state.isFreed) await this.#flush();
    await this.#client.write(regionOffset(name) + offset, bytes);
    if (end <= state.sizeBytes) return;
    state.sizeBytes = end;
    state.isEntered = false;
  }

  async truncate(name: FileName, sizeBytes: number): Promise<void> {
    const state = this.#states[name];
    if (sizeBytes >= state.sizeBytes) return;
    state.sizeBytes = sizeBytes;
    state.isFreed = true;
    await this.#enter(name);
  }

  async remove(name: FileName): Promise<void> {
    const state = this.#states[name];
    state.exists = false;
    state.sizeBytes = 0;
    state.isFreed = true;
    await this.#enter(name);
  }

  async sync(name: FileName): Promise<void> {
    await this.#flush();
    if (this.#states[name].isEntered) return;
    await this.#enter(name);
    await this.#flush();
  }

  /** Makes removals durable. */
  syncDirectory(): Promise<void> {
    return this.#flush();
  }

  async #flush(): Promise<void> {
    await this.#client.flush();
    for (const state of Object.values(this.#states)) state.isFreed = false;
  }

  async #enter(name: FileName): Promise<void> {
    const state = this.#states[name];
    const entry = Buffer.alloc(SECTOR_BYTES);
    if (state.exists) entry.write(`${name} ${String(state.sizeBytes)}\n`);
    await this.#client.write(entryOffset(name), entry);
    state.isEntered = true;
  }
}

function entryOffset(name: FileName): number {
  return FILE_NAMES.indexOf(name) * SECTOR_BYTES;
}

function regionOffset(name: FileName): number {
  return (1 + FILE_NAMES.indexOf(name)) * REGION_BYTES;
}
