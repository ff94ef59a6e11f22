import { type Bio, SECTOR_BYTES } from "@blkstack/bio";
import type { BlockDevice } from "@blkstack/block";
import { FileDisk } from "@blkstack/disk-file";
import { RamDisk } from "@blkstack/disk-ram";
import type { Awaitable, InterruptSource, Scheduler } from "@blkstack/task";
import { SeededRandom } from "./seeded-random.ts";
import { mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DiskLayout } from "./layout.ts";

/** What stacks stand on: makes disks, and tells afterwards what they hold. */
export interface Ground {
  /** Whether what is discarded reads as zeroes. */
  readonly zeroesDiscards: boolean;
  /** Makes a disk that holds `content`, and behind it zeroes. */
  open(disk: DiskLayout, content: Uint8Array, scheduler: Scheduler): Awaitable<BlockDevice>;
  /** All that a disk holds. */
  contentOf(name: string): Awaitable<Uint8Array>;
  close(): Awaitable<void>;
}

/** Disks in memory, that end bios at once, or when the explorer wants it. */
export class RamGround implements Ground {
  readonly zeroesDiscards = true;
  protected readonly disks: Map<string, RamDisk> = new Map<string, RamDisk>();

  open(disk: DiskLayout, content: Uint8Array, scheduler: Scheduler): RamDisk {
    const { name, sizeSectors, limits } = disk;
    const made = this.make({ name, sizeSectors, limits, scheduler, hasVolatileCache: true });
    made.poke(0, content);
    this.disks.set(name, made);
    return made;
  }

  contentOf(name: string): Uint8Array {
    const disk = this.disks.get(name);
    const bytes = new Uint8Array((disk?.sizeSectors ?? 0) * SECTOR_BYTES);
    disk?.peek(0, bytes);
    return bytes;
  }

  close(): void {
    this.disks.clear();
  }

  protected make(options: ConstructorParameters<typeof RamDisk>[0]): RamDisk {
    return new RamDisk(options);
  }
}

/** Disks in memory that end bios later, and in another order than they came. */
export class LateRamGround extends RamGround {
  readonly #random: SeededRandom;

  constructor(seed: number) {
    super();
    this.#random = new SeededRandom(seed);
  }

  protected override make(options: ConstructorParameters<typeof RamDisk>[0]): RamDisk {
    return new LateRamDisk(options, this.#random);
  }
}

class LateRamDisk extends RamDisk {
  readonly #scheduler: Scheduler;
  readonly #random: SeededRandom;
  readonly #late: Bio[] = [];
  readonly #end: InterruptSource<Bio> = {
    label: this.label,
    blockers: () => [],
    handleInterrupt: (bio) => {
      super.handleInterrupt(bio);
    },
  };

  constructor(options: ConstructorParameters<typeof RamDisk>[0], random: SeededRandom) {
    super(options);
    this.#scheduler = options.scheduler;
    this.#random = random;
  }

  override handleInterrupt(bio: Bio): void {
    this.#late.push(bio);
    setImmediate(() => {
      const [some] = this.#late.splice(this.#random.below(this.#late.length), 1);
      if (some !== undefined) this.#scheduler.raise(this.#end, some);
    });
  }
}

/** Image files in a folder of their own, that threads read and write. */
export class FileGround implements Ground {
  readonly zeroesDiscards = false;
  readonly #folder: string;
  readonly #disks: FileDisk[] = [];

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async make(): Promise<FileGround> {
    return new FileGround(await mkdtemp(join(tmpdir(), "blkstack-stacks-")));
  }

  async open(disk: DiskLayout, content: Uint8Array, scheduler: Scheduler): Promise<BlockDevice> {
    const { name, sizeSectors, limits } = disk;
    const path = this.#pathOf(name);
    await writeFile(path, content);
    await truncate(path, sizeSectors * SECTOR_BYTES);
    const made = await FileDisk.open({ name, path, scheduler, limits, syncLimitBytes: 0 });
    this.#disks.push(made);
    return made;
  }

  contentOf(name: string): Promise<Uint8Array> {
    return readFile(this.#pathOf(name));
  }

  async close(): Promise<void> {
    for (const disk of this.#disks) await disk.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #pathOf(name: string): string {
    return join(this.#folder, `${name}.img`);
  }
}
