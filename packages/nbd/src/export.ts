import { type Bytes, SECTOR_BYTES } from "@blkstack/bio";
import { type BlockDevice, BlockError } from "@blkstack/block";
import { Dialect } from "./dialect.ts";
import { type DisabledFeatures, flagsWithout } from "./features.ts";
import { STRING_BYTES_MAX, TransmissionFlag } from "./wire.ts";

/** A device under the name that clients ask for. */
export interface NbdExport {
  /** A key, never a path. Up to 4096 bytes of UTF-8. */
  readonly name: string;
  readonly description?: string;
  readonly device: BlockDevice;
  /** Refuse writes even if the device would take them. */
  readonly isReadOnly?: boolean;
  /** Also answers to the empty name. */
  readonly isDefault?: boolean;
  /**
   * Tell clients that requests must consist of whole blocks of the device, and refuse others with
   * EINVAL to those who asked. Default: any range is served, to the byte, and so they are told.
   */
  readonly keepsBlockSize?: boolean;
}

/** What clients are told of an export. */
export interface ExportInfo {
  readonly sizeBytes: Bytes;
  /** Bits of `TransmissionFlag`. */
  readonly flags: number;
  readonly blockBytesMin: Bytes;
  readonly blockBytesPreferred: Bytes;
  readonly blockBytesMax: Bytes;
}

/** The last whole sector that offsets can tell to the byte. */
const SIZE_BYTES_MAX: Bytes = Number.MAX_SAFE_INTEGER + 1 - SECTOR_BYTES;

/** What all clients can live with. Some take no notice, and send more. */
const TOLD_BYTES_MAX: Bytes = 32 * 1024 * 1024;

const PREFERRED_BYTES_MIN = 4096;
const PREFERRED_BYTES_MAX = 1024 * 1024;

export function isReadOnlyExport(entry: NbdExport): boolean {
  return entry.isReadOnly === true || entry.device.isReadOnly;
}

/** What has been agreed with a client, or is the same for all, and decides what it is told. */
export interface Agreement {
  readonly requestBytesMax: Bytes;
  readonly dialect: Dialect;
  readonly disabled: DisabledFeatures;
}

/**
 * Looks at the device as it is now: its size and limits may change between two clients. Who has
 * chosen contexts may also ask for the status of some of them.
 */
export function describeExport(
  entry: NbdExport,
  { requestBytesMax, dialect, disabled }: Agreement,
  contextCount: number,
): ExportInfo {
  const { limits } = entry.device.queue;
  let flags =
    TransmissionFlag.HasFlags |
    TransmissionFlag.SendFlush |
    TransmissionFlag.SendFua |
    TransmissionFlag.CanMultiConn |
    TransmissionFlag.SendCache;
  // A read that must not be cut is one chunk, holes or not.
  if (dialect !== Dialect.Simple) flags |= TransmissionFlag.SendDontFragment;
  if (dialect === Dialect.Extended && contextCount > 0) {
    flags |= TransmissionFlag.BlockStatusPayload;
  }
  if (isReadOnlyExport(entry)) flags |= TransmissionFlag.ReadOnly;
  else {
    flags |= TransmissionFlag.SendWriteZeroes | TransmissionFlag.SendFastZero;
    if (limits.maxDiscardSectors > 0) flags |= TransmissionFlag.SendTrim;
  }
  const { logicalBlockBytes, physicalBlockBytes, ioMinBytes } = limits;
  const toldBytesMax = Math.min(requestBytesMax, TOLD_BYTES_MAX);
  const blockBytesMin = entry.keepsBlockSize === true ? logicalBlockBytes : 1;
  return {
    sizeBytes: Math.min(entry.device.sizeSectors * SECTOR_BYTES, SIZE_BYTES_MAX),
    flags: flagsWithout(flags, disabled),
    blockBytesMin,
    blockBytesPreferred: preferredBytes(logicalBlockBytes, physicalBlockBytes, ioMinBytes),
    blockBytesMax: toldBytesMax - (toldBytesMax % blockBytesMin),
  };
}

function preferredBytes(...hints: readonly Bytes[]): Bytes {
  let preferred = PREFERRED_BYTES_MIN;
  const wanted = Math.min(PREFERRED_BYTES_MAX, Math.max(...hints));
  while (preferred < wanted) preferred *= 2;
  return preferred;
}

/** The exports of a server by name. */
export class ExportTable {
  readonly #byName: Map<string, NbdExport> = new Map<string, NbdExport>();
  #default: NbdExport | undefined;

  constructor(exports: readonly NbdExport[]) {
    for (const entry of exports) this.add(entry);
  }

  /**
   * Throws EINVAL for a name that is taken or cannot be, or a second default, EFBIG for a device whose
   * end is beyond 2^53.
   */
  add(entry: NbdExport): void {
    checkText("name", entry.name);
    checkText("description", entry.description ?? "");
    if (entry.device.sizeSectors * SECTOR_BYTES > SIZE_BYTES_MAX) {
      const message = `export "${entry.name}": device ${entry.device.name} ends beyond 2^53 bytes`;
      throw new BlockError("BLK_DEVICE", "EFBIG", message);
    }
    if (this.#byName.has(entry.name)) throw refusal(`export "${entry.name}" is there twice`);
    if (entry.isDefault === true) {
      if (this.#default !== undefined) throw refusal("more than one export is the default");
      this.#default = entry;
    }
    this.#byName.set(entry.name, entry);
  }

  delete(entry: NbdExport): void {
    this.#byName.delete(entry.name);
    if (this.#default === entry) this.#default = undefined;
  }

  get(name: string): NbdExport | undefined {
    return this.#byName.get(name);
  }

  find(name: string): NbdExport | undefined {
    return this.#byName.get(name) ?? (name === "" ? this.#default : undefined);
  }

  get size(): number {
    return this.#byName.size;
  }

  values(): Iterable<NbdExport> {
    return this.#byName.values();
  }
}

function checkText(what: string, text: string): void {
  if (text.includes("\0")) throw refusal(`an export's ${what} contains a NUL`);
  if (Buffer.byteLength(text) > STRING_BYTES_MAX) {
    throw refusal(`an export's ${what} is longer than ${String(STRING_BYTES_MAX)} bytes`);
  }
}

function refusal(message: string): BlockError {
  return new BlockError("BLK_DEVICE", "EINVAL", message);
}
