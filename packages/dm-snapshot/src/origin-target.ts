import { type Bio, BioFlag, BioOp, type Sectors } from "@blkstack/bio";
import {
  type BlockDevice,
  type DeviceRange,
  type Extent,
  findExtent,
  MapResult,
  type StatusKind,
  type Target,
  type TargetContext,
} from "@blkstack/block";
import type { Awaitable, Task } from "@blkstack/task";
import type { OriginRecord } from "./origin-record.ts";
import type { OriginTurnPolicy } from "./origin-turn.ts";
import type { Origins } from "./origins.ts";

const PREFLUSH = BioFlag.Preflush;
const WRITE = BioOp.Write;

/** The way to the origin while it has snapshots: writes wait until each of them has the old data. */
export class OriginTarget implements Target {
  readonly flushBios = 1;
  readonly flushesPassThrough = true;
  readonly #device: BlockDevice;
  readonly #record: OriginRecord;
  readonly #origins: Origins;
  readonly #context: TargetContext;
  readonly #turn: OriginTurnPolicy | null;

  constructor(
    device: BlockDevice,
    origins: Origins,
    context: TargetContext,
    turn: OriginTurnPolicy | null,
  ) {
    this.#turn = turn;
    this.#device = device;
    this.#origins = origins;
    this.#context = context;
    this.#record = origins.claim(device);
    this.#record.addHost(context.host);
  }

  /** Waits: to write, for the locks of snapshots, for memory, and while many copies are under way. */
  map(bio: Bio, task: Task): Awaitable<MapResult> {
    bio.device = this.#device;
    if (bio.op !== WRITE || (bio.flags & PREFLUSH) !== 0) return MapResult.Remapped;
    // As it is now: a snapshot with smaller chunks may have come.
    const boundary = this.#record.boundarySectors;
    const upToLine = boundary - (bio.sector % boundary);
    if (bio.sectors > upToLine) this.#context.acceptPartial(bio, upToLine);
    if (this.#turn === null) return this.#record.write(bio, true, task);
    return this.#record.writeInTurn(this.#turn, { bio, isRetry: false }, task);
  }

  status(kind: StatusKind): string {
    return kind === "table" ? this.#context.deviceLabel(this.#device) : "";
  }

  findExtent(sector: Sectors, extent: Extent): void {
    findExtent(this.#device, sector, extent);
  }

  devices(): DeviceRange[] {
    const { begin: startSector, sizeSectors } = this.#context;
    return [{ device: this.#device, startSector, sizeSectors }];
  }

  destroy(): void {
    this.#record.removeHost(this.#context.host);
    this.#origins.release(this.#record);
  }
}
