import { SECTOR_BYTES } from "@blkstack/bio";
import { type Extent, ExtentLayer } from "@blkstack/block";
import { Memory } from "@blkstack/memory";
import { EventLoopScheduler } from "@blkstack/task/node";
import { type NbdLimits, NbdServer, type ServerTls } from "../../src/index.ts";
import { ArrayDevice, straight } from "../array-device.ts";
import type { ModelExport } from "./handshake-model.ts";
import { Mismatch } from "./mismatch.ts";

export const LIMITS = {
  requestBytesMax: 1024 * 1024,
  bytesInFlightMax: 256 * 1024,
  requestsInFlightMax: 8,
  serverBytesMax: 4 * 1024 * 1024,
} as const satisfies Partial<NbdLimits>;

const PART_BYTES = 4096;
const NO_BYTES = Buffer.alloc(PART_BYTES);
const NOTHING_HELD = JSON.stringify({ halfOpen: 0, connections: 0, pagesInUse: 0, replyBytes: 0 });

/** A disk that knows which of its parts of 4 KiB are zeroes. */
export class KnowingDisk extends ArrayDevice {
  readonly #initial: Buffer = patternOf(this.bytes.length);

  get isUntouched(): boolean {
    return this.#initial.equals(this.bytes);
  }

  /** As if nobody had been here. */
  refill(): void {
    if (!this.isUntouched) this.bytes.set(this.#initial);
    this.seen.length = 0;
    this.isLate = false;
    this.isHolding = false;
  }

  findExtent(sector: number, extent: Extent): void {
    const partSectors = PART_BYTES / SECTOR_BYTES;
    const part = Math.floor(sector / partSectors);
    const begin = part * PART_BYTES;
    const bytes = this.bytes.subarray(begin, begin + PART_BYTES);
    const isZero = NO_BYTES.compare(bytes, 0, bytes.length, 0, bytes.length) === 0;
    extent.sectors = Math.min(extent.sectors, (part + 1) * partSectors - sector);
    extent.flags = isZero ? 3 : 0;
    extent.layer = ExtentLayer.Origin;
  }
}

/** Every second part is zeroes. */
function patternOf(sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  for (let at = 0; at < sizeBytes; at += 1) {
    if (Math.floor(at / PART_BYTES) % 2 === 1) bytes[at] = 1 + ((at * 31) % 255);
  }
  return bytes;
}

/** One server, which listens nowhere yet, with the disks behind it. */
export class World {
  readonly server: NbdServer;
  readonly exports: readonly ModelExport[];
  readonly #disks: ReadonlyMap<string, KnowingDisk>;

  constructor(tls: ServerTls | undefined, limits: Partial<NbdLimits> = {}) {
    const disks = new Map([
      // It ends inside a part.
      ["disk", new KnowingDisk(128 * 1024 + SECTOR_BYTES)],
      ["kept", new KnowingDisk(64 * 1024)],
      ["blocks", new KnowingDisk(64 * 1024, { logicalBlockBytes: 4096, physicalBlockBytes: 4096 })],
    ]);
    this.#disks = disks;
    this.exports = [...disks].map(([name, disk]) => ({
      name,
      sizeBytes: disk.bytes.length,
      blockBytes: disk.queue.limits.logicalBlockBytes,
      isReadOnly: name === "kept",
      isDefault: name === "disk",
      keepsBlockSize: name === "blocks",
    }));
    const scheduler = new EventLoopScheduler();
    this.server = new NbdServer({
      scheduler,
      submitter: straight,
      memory: new Memory({ scheduler }),
      exports: this.exports.map((entry) => ({ ...entry, device: this.diskOf(entry.name) })),
      limits: { ...LIMITS, ...limits },
      ...(tls === undefined ? {} : { tls }),
    });
  }

  get disks(): Iterable<KnowingDisk> {
    return this.#disks.values();
  }

  diskOf(name: string): KnowingDisk {
    const disk = this.#disks.get(name);
    if (disk === undefined) throw new RangeError(`no disk ${name}`);
    return disk;
  }

  /** As if nobody had been here. */
  prepare(): void {
    for (const disk of this.disks) disk.refill();
  }

  /** Throws a Mismatch when more is held than one client may make the server hold. */
  expectBounded(): void {
    const heldBytes = this.server.counters.pagesInUse * 4096;
    // Memory comes in powers of two, and one request is always let through.
    if (heldBytes > 2 * (LIMITS.bytesInFlightMax + LIMITS.requestBytesMax)) {
      throw new Mismatch(`${String(heldBytes)} bytes of payload for one client`);
    }
  }

  /** Whether anything is left of any client. */
  get isHolding(): boolean {
    const { server } = this;
    if (JSON.stringify(server.counters) !== NOTHING_HELD) return true;
    return this.exports.some(({ name }) => server.clientCount(name) > 0);
  }
}
