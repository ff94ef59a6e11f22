import { type Bio, BioFlag, BioOp, type Sectors } from "@blkstack/bio";
import {
  defineTarget,
  type DeviceRange,
  MapResult,
  type StatusKind,
  type Target,
  type TargetContext,
  type TargetType,
} from "@blkstack/block";
import { AccessMode, type Access, type Scheduler, type Task } from "@blkstack/task";
import { parseRoutes, type Route } from "./delay-arguments.ts";
import { HeldBio, HeldBios, HeldLine } from "./held-bios.ts";

/** Holds bios back for a while before it sends them to a device below: reads, writes and flushes. */
export const delay: TargetType = defineTarget({
  name: "delay",
  version: [1, 3, 0],
  apiVersion: 1,
  createPerBioData: () => new HeldBio(),
  create: (context) => new Delay(context, parseRoutes(context)),
});

/** One kind of bios: where they go, and those of them that wait. */
interface Lane {
  readonly route: Route;
  readonly held: HeldLine;
}

class Delay implements Target {
  readonly flushBios = 1;
  readonly discardBios = 1;
  readonly #context: TargetContext;
  readonly #begin: Sectors;
  readonly #scheduler: Scheduler;
  readonly #routes: readonly Route[];
  readonly #reads: Lane;
  readonly #writes: Lane;
  readonly #flushes: Lane;
  readonly #held: HeldBios;
  /** Between a suspend and the resume nothing is held, for the suspend waits for all bios. */
  #isHolding = true;
  readonly #reading: Access;
  readonly #writing: Access;

  constructor(context: TargetContext, routes: readonly [Route, ...Route[]]) {
    const [read, write = read, flush = write] = routes;
    this.#context = context;
    this.#begin = context.begin;
    this.#scheduler = context.scheduler;
    this.#routes = routes;
    this.#reads = laneOf(read);
    this.#writes = laneOf(write);
    this.#flushes = laneOf(flush);
    this.#held = new HeldBios(
      this.#lanes.map(({ held }) => held),
      context,
    );
    const label = `whether ${context.deviceName} delays`;
    const object = { label };
    this.#reading = { object, mode: AccessMode.Read, label: `look ${label}` };
    this.#writing = { object, mode: AccessMode.Write, label: `change ${label}` };
  }

  /** Waits: never; it is the bio that does. */
  map(bio: Bio): MapResult {
    const { route, held } = this.#laneOf(bio);
    bio.device = route.device;
    bio.sector += route.startSector - this.#begin;
    if (route.delayMs === 0) return MapResult.Remapped;
    this.#scheduler.touch(this.#reading);
    if (!this.#isHolding) return MapResult.Remapped;
    this.#held.add(bio, held);
    return MapResult.Submitted;
  }

  /** `info`: how many reads, writes and flushes are held at the moment. */
  status(kind: StatusKind): string {
    if (kind === "info") return this.#lanes.map(({ held }) => String(held.count)).join(" ");
    const texts = this.#routes.map(({ device, startSector, delayMs }) => {
      const label = this.#context.deviceLabel(device);
      return `${label} ${String(startSector)} ${String(delayMs)}`;
    });
    return texts.join(" ");
  }

  devices(): DeviceRange[] {
    const { sizeSectors } = this.#context;
    return this.#routes.map(({ device, startSector }) => ({ device, startSector, sizeSectors }));
  }

  /** Lets everything go at once: the suspend waits for it. */
  presuspend(): void {
    this.#setHolding(false);
    this.#held.releaseAll();
  }

  presuspendUndo(): void {
    this.#setHolding(true);
  }

  resume(): void {
    this.#setHolding(true);
  }

  destroy(task: Task): Promise<void> {
    return this.#held.destroy(task);
  }

  get #lanes(): readonly Lane[] {
    return [this.#reads, this.#writes, this.#flushes];
  }

  #laneOf(bio: Bio): Lane {
    if (bio.op === BioOp.Read) return this.#reads;
    return (bio.flags & BioFlag.Preflush) === 0 ? this.#writes : this.#flushes;
  }

  #setHolding(isHolding: boolean): void {
    this.#scheduler.touch(this.#writing);
    this.#isHolding = isHolding;
  }
}

function laneOf(route: Route): Lane {
  return { route, held: new HeldLine(route.delayMs) };
}
