import { BioFlag, BioStatus, SECTOR_BYTES } from "@blkstack/bio";
import type { CowIo, CowRead } from "../src/index.ts";

interface LoggedWrite {
  readonly sector: number;
  readonly bytes: Uint8Array;
  readonly flags: number;
}

const ZEROS = new Uint8Array(SECTOR_BYTES);
type Sectors = Map<number, Uint8Array>;

/** A COW device in memory that writes down what came, and knows what a power cut could leave. */
export class MemoryCow implements CowIo {
  sizeSectors: number;
  readonly logicalBlockBytes: readonly number[];
  readonly log: LoggedWrite[] = [];
  /** Which writes and reads fail, by their first sector. */
  failing: (kind: "read" | "write", sector: number) => boolean = () => false;
  /** Whether reads ahead are offered; how many there were. */
  readAll?: (pieces: readonly CowRead[]) => BioStatus;
  batches = 0;
  readonly #sectors: Sectors;
  /** What was there before the log begins. */
  readonly #before: Sectors;

  constructor(sizeSectors: number, before: Sectors = new Map(), logicalBlockBytes = [512]) {
    this.sizeSectors = sizeSectors;
    this.#before = before;
    this.#sectors = new Map(before);
    this.logicalBlockBytes = logicalBlockBytes;
  }

  read(sector: number, into: Uint8Array): BioStatus {
    if (this.failing("read", sector) || !this.#fits(sector, into)) return BioStatus.IoError;
    into.set(this.bytes(sector, into.length / SECTOR_BYTES));
    return BioStatus.Ok;
  }

  write(sector: number, from: Uint8Array, flags: number): BioStatus {
    if (this.failing("write", sector) || !this.#fits(sector, from)) return BioStatus.IoError;
    const write = { sector, bytes: from.slice(), flags };
    this.log.push(write);
    for (const [at, bytes] of piecesOf(write)) this.#sectors.set(at, bytes);
    return BioStatus.Ok;
  }

  offerReadAhead(): void {
    this.readAll = (pieces) => {
      this.batches += 1;
      for (const { sector, into } of pieces)
        if (this.read(sector, into) !== BioStatus.Ok) return BioStatus.IoError;
      return BioStatus.Ok;
    };
  }

  bytes(sector: number, sectors: number): Uint8Array {
    const bytes = new Uint8Array(sectors * SECTOR_BYTES);
    for (let index = 0; index < sectors; index += 1)
      bytes.set(this.#sectors.get(sector + index) ?? ZEROS, index * SECTOR_BYTES);
    return bytes;
  }

  /** The device as it is, powered on again with everything arrived. */
  again(sizeSectors = this.sizeSectors): MemoryCow {
    return new MemoryCow(sizeSectors, this.#sectors, [...this.logicalBlockBytes]);
  }

  /** The writes so far as `SECTOR+SECTORS`, with the names of their flags. */
  get story(): string[] {
    return this.log.map(({ sector, bytes, flags }) => {
      const names = [
        (flags & BioFlag.Preflush) !== 0 ? " FLUSH" : "",
        (flags & BioFlag.Fua) !== 0 ? " FUA" : "",
      ];
      return `${String(sector)}+${String(bytes.length / SECTOR_BYTES)}${names.join("")}`;
    });
  }

  /**
   * What the device may hold when the power goes while write `cut` of the log is under way: those
   * since the last flush, and this one, arrived in any choice of their sectors. All choices where
   * there are few of them, otherwise the extremes and some in between.
   */
  *crashesAt(cut: number, below: (bound: number) => number): Generator<MemoryCow> {
    const durable = new Map(this.#before);
    let loose: [number, Uint8Array][] = [];
    for (const write of this.log.slice(0, cut)) {
      if ((write.flags & BioFlag.Preflush) !== 0) {
        for (const [at, bytes] of loose) durable.set(at, bytes);
        loose = [];
      }
      const pieces = piecesOf(write);
      if ((write.flags & BioFlag.Fua) === 0) loose.push(...pieces);
      else for (const [at, bytes] of pieces) durable.set(at, bytes);
    }
    const write = this.log[cut];
    const pieces = write === undefined ? [] : piecesOf(write);
    if (write === undefined || (write.flags & BioFlag.Preflush) === 0) {
      yield* this.#choices(durable, [...loose, ...pieces], below);
      return;
    }
    yield* this.#choices(durable, loose, below);
    for (const [at, bytes] of loose) durable.set(at, bytes);
    yield* this.#choices(durable, pieces, below);
  }

  *#choices(
    durable: Sectors,
    loose: readonly [number, Uint8Array][],
    below: (bound: number) => number,
  ): Generator<MemoryCow> {
    const count = loose.length;
    const isFew = count <= 5;
    for (let index = 0; index < (isFew ? 2 ** count : 16); index += 1) {
      const choice = new Map(durable);
      for (const [place, [at, bytes]] of loose.entries()) {
        const arrived = isFew
          ? ((index >> place) & 1) === 1
          : index === 0 || (index > 1 && below(2) === 1);
        if (arrived) choice.set(at, bytes);
      }
      yield new MemoryCow(this.sizeSectors, choice);
    }
  }

  #fits(sector: number, bytes: Uint8Array): boolean {
    return sector + bytes.length / SECTOR_BYTES <= this.sizeSectors;
  }
}

function piecesOf({ sector, bytes }: LoggedWrite): [number, Uint8Array][] {
  return Array.from({ length: bytes.length / SECTOR_BYTES }, (_, index) => [
    sector + index,
    bytes.subarray(index * SECTOR_BYTES, (index + 1) * SECTOR_BYTES),
  ]);
}
