import type { Bio, Sectors } from "@blkstack/bio";
import type { BlockDevice, Errno, Submitter, TargetContext, TargetHost } from "@blkstack/block";
import { BlockError } from "@blkstack/block";
import type { Scheduler, Task } from "@blkstack/task";
import { deviceLabel } from "./device-label.ts";
import type { FlushPolicy } from "./flush-policy.ts";
import type { Services } from "./services.ts";
import { TableError } from "./table-error.ts";
import type { TableLine } from "./table-text.ts";
import { toSectors } from "./table-target.ts";
import { targetIoOf } from "./target-io.ts";

/** What one mapped device gives all the lines of one table to make their targets with. */
export interface TableSurroundings {
  readonly deviceName: string;
  /** `253:0` */
  readonly deviceNumber: string;
  readonly isReadOnly: boolean;
  readonly scheduler: Scheduler;
  readonly submitter: Submitter;
  readonly host: TargetHost;
  readonly services: Services;
  readonly flushes: FlushPolicy;
  /** Opens a device for the table; once however often it is asked. Throws a BlockError. */
  openDevice(name: string): BlockDevice;
}

/** Counts are unsigned 64-bit: what is more wraps around, as it always did. */
const UINT64_BITS = 64;

/** What the maker of a target is given. Remembers the line, so that complaints can name it. */
export class LineContext implements TargetContext {
  readonly args: readonly string[];
  readonly begin: Sectors;
  readonly sizeSectors: Sectors;
  readonly deviceName: string;
  readonly isReadOnly: boolean;
  readonly scheduler: Scheduler;
  readonly submitter: Submitter;
  readonly task: Task;
  readonly host: TargetHost;
  readonly #line: TableLine;
  readonly #dataIndex: number;
  readonly #surroundings: TableSurroundings;
  /** The exact value of counts that a `number` only comes near to; for messages. */
  readonly #exact = new Map<Sectors, bigint>();

  constructor(line: TableLine, dataIndex: number, surroundings: TableSurroundings, task: Task) {
    this.args = line.args;
    this.begin = toSectors(line.begin);
    this.sizeSectors = toSectors(line.length);
    this.deviceName = surroundings.deviceName;
    this.isReadOnly = surroundings.isReadOnly;
    this.scheduler = surroundings.scheduler;
    this.submitter = surroundings.submitter;
    this.task = task;
    this.host = surroundings.host;
    this.#line = line;
    this.#dataIndex = dataIndex;
    this.#surroundings = surroundings;
    this.#exact.set(this.sizeSectors, line.length);
    // Makers take their context apart, so what they call must not need `this`.
    this.argumentCount = this.argumentCount.bind(this);
    this.sector = this.sector.bind(this);
    this.openDevice = this.openDevice.bind(this);
    this.error = this.error.bind(this);
    this.perBioData = this.perBioData.bind(this);
    this.service = this.service.bind(this);
    this.shared = this.shared.bind(this);
  }

  argumentCount(count: number): void {
    if (this.args.length === count) return;
    const given = `takes ${String(count)}, got ${String(this.args.length)}`;
    throw this.#complaint("Invalid argument count", "EINVAL", { detail: given });
  }

  sector(text: string): Sectors {
    if (!/^\d+$/.test(text)) {
      const argument = this.args.indexOf(text);
      const detail = `"${text}" is not an unsigned decimal number`;
      throw this.#complaint("Invalid device sector", "EINVAL", { argument, detail });
    }
    const exact = BigInt.asUintN(UINT64_BITS, BigInt(text));
    const sectors = Number(exact);
    if (!Number.isSafeInteger(sectors)) this.#exact.set(sectors, exact);
    return sectors;
  }

  openDevice(name: string, complaint = "Device lookup failed"): BlockDevice {
    try {
      return this.#surroundings.openDevice(name);
    } catch (cause) {
      if (!(cause instanceof BlockError)) throw cause;
      const place = { argument: this.args.indexOf(name), detail: cause.message };
      throw this.#complaint(complaint, cause.errno, place, cause);
    }
  }

  service<T extends object>(kind: abstract new (...args: never[]) => T): T {
    return this.#surroundings.services.get(kind);
  }

  shared<T extends object>(kind: new (scheduler: Scheduler) => T): T {
    return this.#surroundings.services.shared(kind);
  }

  deviceLabel(device: BlockDevice): string {
    return deviceLabel(device);
  }

  error(message: string, errno: Errno = "EINVAL", detail = ""): TableError {
    return this.#complaint(message, errno, { detail });
  }

  acceptPartial(bio: Bio, sectors: Sectors): void {
    targetIoOf(bio).acceptPartial(bio, sectors);
  }

  perBioData(bio: Bio): object {
    return targetIoOf(bio).data(this.#dataIndex);
  }

  copyIndex(bio: Bio): number {
    return targetIoOf(bio).copyIndex;
  }

  /** A count as it was written, where a `number` is too coarse for it. */
  exactly(sectors: Sectors): bigint {
    return this.#exact.get(sectors) ?? BigInt(sectors);
  }

  #complaint(
    message: string,
    errno: Errno,
    { argument = -1, detail }: { argument?: number; detail: string },
    cause?: BlockError,
  ): TableError {
    const { type, lineNumber } = this.#line;
    return new TableError(
      {
        errno,
        lineNumber,
        ...(argument >= 0 && { argumentNumber: argument + 1 }),
        message: `${type}: ${message}${detail === "" ? "" : ` (${detail})`}`,
        kernelLog: [
          `table: ${this.#surroundings.deviceNumber}: ${type}: ${message} (-${errno})`,
          "ioctl: error adding target to table",
        ],
      },
      { cause },
    );
  }
}
