import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SECTOR_BYTES } from "@blkstack/bio";
import { type Extent, ExtentLayer } from "@blkstack/block";
import { Memory } from "@blkstack/memory";
import { EventLoopScheduler } from "@blkstack/task/node";
import { type NbdLimits, NbdServer, type ServerTls } from "../../src/index.ts";
import { ArrayDevice, straight } from "../array-device.ts";
import { Authority } from "../certificates.ts";
import type { ModelExport } from "./handshake-model.ts";
import { Mismatch } from "./mismatch.ts";

export const LIMITS = {
  requestBytesMax: 1024 * 1024,
  bytesInFlightMax: 256 * 1024,
  requestsInFlightMax: 8,
  serverBytesMax: 4 * 1024 * 1024,
} as const satisfies Partial<NbdLimits>;

const SETTLES_MS = 10_000;
const PART_BYTES = 4096;
const NOTHING_HELD = JSON.stringify({ halfOpen: 0, connections: 0, pagesInUse: 0 });

/** A disk that knows which of its parts of 4 KiB are zeroes. */
class KnowingDisk extends ArrayDevice {
  /** Every second part is zeroes. */
  refill(): void {
    for (let at = 0; at < this.bytes.length; at += 1) {
      this.bytes[at] = Math.floor(at / PART_BYTES) % 2 === 0 ? 0 : 1 + ((at * 31) % 255);
    }
  }

  findExtent(sector: number, extent: Extent): void {
    const partSectors = PART_BYTES / SECTOR_BYTES;
    const part = Math.floor(sector / partSectors);
    const begin = part * PART_BYTES;
    const bytes = this.bytes.subarray(begin, begin + PART_BYTES);
    extent.sectors = Math.min(extent.sectors, (part + 1) * partSectors - sector);
    extent.flags = bytes.every((byte) => byte === 0) ? 3 : 0;
    extent.layer = ExtentLayer.Origin;
  }
}

/** One server with the disks behind it, for as many sessions as go well. */
export class Rig {
  readonly path: string;
  readonly server: NbdServer;
  readonly exports: readonly ModelExport[];
  readonly #disks: ReadonlyMap<string, KnowingDisk>;
  readonly #folder: string;

  private constructor(
    folder: string,
    server: NbdServer,
    exports: readonly ModelExport[],
    disks: ReadonlyMap<string, KnowingDisk>,
  ) {
    this.#folder = folder;
    this.path = join(folder, "socket");
    this.server = server;
    this.exports = exports;
    this.#disks = disks;
  }

  static async start(tls: ServerTls | undefined): Promise<Rig> {
    const disks = new Map([
      // It ends inside a part.
      ["disk", new KnowingDisk(128 * 1024 + SECTOR_BYTES)],
      ["kept", new KnowingDisk(64 * 1024)],
      ["blocks", new KnowingDisk(64 * 1024, { logicalBlockBytes: 4096, physicalBlockBytes: 4096 })],
    ]);
    const exports = [...disks].map(([name, disk]) => ({
      name,
      sizeBytes: disk.bytes.length,
      blockBytes: disk.queue.limits.logicalBlockBytes,
      isReadOnly: name === "kept",
      isDefault: name === "disk",
      keepsBlockSize: name === "blocks",
    }));
    const scheduler = new EventLoopScheduler();
    const server = new NbdServer({
      scheduler,
      submitter: straight,
      memory: new Memory({ scheduler }),
      exports: exports.map((entry) => ({ ...entry, device: diskOf(disks, entry.name) })),
      limits: LIMITS,
      ...(tls === undefined ? {} : { tls }),
    });
    const rig = new Rig(await mkdtemp(join(tmpdir(), "nbd-fuzz-")), server, exports, disks);
    await server.listen({ unix: rig.path });
    return rig;
  }

  diskOf(name: string): KnowingDisk {
    return diskOf(this.#disks, name);
  }

  /** As if nobody had been here. */
  prepare(isLate: boolean): void {
    for (const disk of this.#disks.values()) {
      disk.refill();
      disk.seen.length = 0;
      disk.isLate = isLate;
    }
  }

  /** Throws a Mismatch when more is held than one client may make the server hold. */
  expectBounded(): void {
    const heldBytes = this.server.counters.pagesInUse * 4096;
    // Memory comes in powers of two, and one request is always let through.
    if (heldBytes > 2 * (LIMITS.bytesInFlightMax + LIMITS.requestBytesMax)) {
      throw new Mismatch(`${String(heldBytes)} bytes of payload for one client`);
    }
  }

  /** Waits until nothing is left of any client; throws a Mismatch when something stays. */
  async expectNothingHeld(): Promise<void> {
    const untilMs = Date.now() + SETTLES_MS;
    while (JSON.stringify(this.server.counters) !== NOTHING_HELD || this.#isUsed()) {
      if (Date.now() > untilMs) {
        throw new Mismatch(`the server still holds ${JSON.stringify(this.server.counters)}`);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async stop(): Promise<void> {
    await this.server.close();
    await rm(this.#folder, { recursive: true });
  }

  #isUsed(): boolean {
    return this.exports.some(({ name }) => {
      return this.server.clientCount(name) > 0 || this.server.statsOf(name).inFlight > 0;
    });
  }
}

function diskOf(disks: ReadonlyMap<string, KnowingDisk>, name: string): KnowingDisk {
  const disk = disks.get(name);
  if (disk === undefined) throw new RangeError(`no disk ${name}`);
  return disk;
}

const authority = new Authority();
const identity = authority.issue({ commonName: "server", hosts: ["localhost"] });

/** Rigs with and without TLS; one in which something went wrong is not used again. */
export class Rigs {
  static readonly trust = { ca: authority.certificate, servername: "localhost" } as const;
  readonly #running = new Map<boolean, Rig>();

  async use(hasTls: boolean, work: (rig: Rig) => Promise<void>): Promise<void> {
    let rig = this.#running.get(hasTls);
    if (rig === undefined) {
      rig = await Rig.start(hasTls ? { ...identity, isRequired: false } : undefined);
      this.#running.set(hasTls, rig);
    }
    try {
      await work(rig);
    } catch (error) {
      this.#running.delete(hasTls);
      await rig.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    for (const rig of this.#running.values()) await rig.stop();
    this.#running.clear();
  }
}
