import { BioOp, BioStatus, isDataless, SECTOR_BYTES, type Sectors } from "@blkstack/bio";

/** One bio, as a model sees it. */
export interface ModelRequest {
  readonly op: BioOp;
  /** `BioFlag`s. A write of no sectors is a flush. */
  readonly flags: number;
  /** Counted from where the line begins. */
  readonly sector: Sectors;
  readonly sectors: Sectors;
  /** What is written; of other operations, zeroes. */
  readonly bytes: Uint8Array;
  /** Since the table was made. */
  readonly atMs: number;
}

export interface ModelAnswer {
  readonly status: BioStatus;
  /** What a read that ends well finds; null: not told, or no read. */
  readonly bytes: Uint8Array | null;
}

/** What a line of a table comes to, without any of the ways how: one bio after the other. */
export interface Model {
  /** Disks that hold what `ModelSetting.disks` does whenever no bio is under way. */
  readonly exactDisks: readonly string[];
  /** How a bio must end. Changes the model as the bio changes the device. */
  serve(request: ModelRequest): ModelAnswer;
}

/** What a model is made of. */
export interface ModelSetting {
  /** Where the line begins in its table. */
  readonly begin: Sectors;
  readonly sizeSectors: Sectors;
  /** What the disks hold, by name: the model's own copy, to be changed. */
  readonly disks: ReadonlyMap<string, Uint8Array>;
}

export type MakeModel = (setting: ModelSetting) => Model;

/** A sector of a disk. */
export interface Place {
  readonly disk: string;
  readonly sector: Sectors;
}

/** Where a sector of a line lies; `sector` and the answer are counted from their begins. */
export type PlaceOf = (sector: Sectors, setting: ModelSetting) => Place;

const DONE: ModelAnswer = { status: BioStatus.Ok, bytes: null };

/** What is zeroed is zeroes, what is written is written; nothing else. */
abstract class Sectored implements Model {
  abstract readonly exactDisks: readonly string[];

  /** The present content of a sector of the line; to be changed in place when `isChange`. */
  protected abstract contentOf(sector: Sectors, isChange: boolean): Uint8Array;

  serve({ op, sector, sectors, bytes }: ModelRequest): ModelAnswer {
    if (op !== BioOp.Read && op !== BioOp.Write && !isDataless(op)) return DONE;
    const isRead = op === BioOp.Read;
    const found = new Uint8Array(isRead ? sectors * SECTOR_BYTES : 0);
    for (let index = 0; index < sectors; index += 1) {
      const at = index * SECTOR_BYTES;
      const content = this.contentOf(sector + index, !isRead);
      if (isRead) found.set(content, at);
      else if (op === BioOp.Write) content.set(bytes.subarray(at, at + SECTOR_BYTES));
      else content.fill(0);
    }
    return isRead ? { status: BioStatus.Ok, bytes: found } : DONE;
  }
}

function onDisk({ disks }: ModelSetting, { disk, sector }: Place): Uint8Array {
  const content = disks.get(disk);
  if (content === undefined)
    throw new RangeError(`the model names a disk "${disk}"; there is none`);
  return content.subarray(sector * SECTOR_BYTES, (sector + 1) * SECTOR_BYTES);
}

export interface RemapsOptions {
  /** Disks on which nothing else changes. Default: all. */
  readonly exactDisks?: readonly string[];
}

/**
 * Each sector lies at a place of a disk: what is written is there when the write has ended, and
 * nothing else on any disk changes.
 */
export function remaps(placeOf: PlaceOf, { exactDisks }: RemapsOptions = {}): MakeModel {
  return (setting) => new Remapped(setting, placeOf, exactDisks ?? [...setting.disks.keys()]);
}

class Remapped extends Sectored {
  readonly exactDisks: readonly string[];
  readonly #setting: ModelSetting;
  readonly #placeOf: PlaceOf;

  constructor(setting: ModelSetting, placeOf: PlaceOf, exactDisks: readonly string[]) {
    super();
    this.exactDisks = exactDisks;
    this.#setting = setting;
    this.#placeOf = placeOf;
  }

  protected contentOf(sector: Sectors): Uint8Array {
    return onDisk(this.#setting, this.#placeOf(sector, this.#setting));
  }
}

export interface KeepsOptions {
  /** Disks that nothing may ever change. Default: none. */
  readonly untouchedDisks?: readonly string[];
}

/**
 * Each sector reads at first as a place of a disk does, and then as what was written. Where that is
 * kept is the target's own affair.
 */
export function keeps(firstFrom: PlaceOf, { untouchedDisks = [] }: KeepsOptions = {}): MakeModel {
  return (setting) => new Kept(setting, firstFrom, untouchedDisks);
}

class Kept extends Sectored {
  readonly exactDisks: readonly string[];
  readonly #setting: ModelSetting;
  readonly #firstFrom: PlaceOf;
  readonly #written = new Map<Sectors, Uint8Array>();

  constructor(setting: ModelSetting, firstFrom: PlaceOf, untouchedDisks: readonly string[]) {
    super();
    this.exactDisks = untouchedDisks;
    this.#setting = setting;
    this.#firstFrom = firstFrom;
  }

  protected contentOf(sector: Sectors, isChange: boolean): Uint8Array {
    const written = this.#written.get(sector);
    if (written !== undefined) return written;
    const first = onDisk(this.#setting, this.#firstFrom(sector, this.#setting));
    if (!isChange) return first;
    const own = first.slice();
    this.#written.set(sector, own);
    return own;
  }
}

/** Whatever is asked is done by `serve`, which has no state; no disk changes. */
export function answers(serve: (request: ModelRequest) => ModelAnswer): MakeModel {
  return ({ disks }) => ({ exactDisks: [...disks.keys()], serve });
}

/** Every read and write fails with `status`; flushes go well. */
export function fails(status: BioStatus = BioStatus.IoError): MakeModel {
  return answers(({ sectors }) => (sectors === 0 ? DONE : { status, bytes: null }));
}

/** Reads find zeroes, and writes are forgotten. */
export function readsZeroes(): MakeModel {
  return answers(({ op, sectors }) =>
    op === BioOp.Read
      ? { status: BioStatus.Ok, bytes: new Uint8Array(sectors * SECTOR_BYTES) }
      : DONE,
  );
}
