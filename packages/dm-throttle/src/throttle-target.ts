import type { Bio, Sectors } from "@blkstack/bio";
import {
  type BlockDevice,
  defineTarget,
  type DeviceRange,
  MapResult,
  type StatusKind,
  type Target,
  type TargetContext,
  type TargetType,
} from "@blkstack/block";
import { type Awaitable, isPending, type Task } from "@blkstack/task";
import { formatLimits, parseLimits, Throttle, type ThrottlePort } from "@blkstack/throttle";

/** A range of a lower device, within the limits of a group that others may use too. */
export const throttle: TargetType = defineTarget({
  name: "throttle",
  version: [1, 0, 0],
  apiVersion: 1,
  create(context) {
    context.argumentCount(3);
    const [device = "", start = "", group = ""] = context.args;
    const owner = context.service(Throttle);
    if (!owner.groupNames.includes(group)) {
      throw context.error("Unknown group", "EINVAL", `there is no group "${group}"`);
    }
    const route = { device: context.openDevice(device), startSector: context.sector(start) };
    return new ThrottleTarget(context, route, owner, group);
  },
});

interface Route {
  readonly device: BlockDevice;
  readonly startSector: Sectors;
}

class ThrottleTarget implements Target {
  readonly flushBios = 1;
  readonly discardBios = 1;
  readonly writeZeroesBios = 1;
  readonly secureEraseBios = 1;
  readonly #context: TargetContext;
  readonly #route: Route;
  readonly #shiftSectors: Sectors;
  readonly #throttle: Throttle;
  readonly #group: string;
  readonly #port: ThrottlePort;

  constructor(context: TargetContext, route: Route, owner: Throttle, group: string) {
    this.#context = context;
    this.#route = route;
    this.#shiftSectors = route.startSector - context.begin;
    this.#throttle = owner;
    this.#group = group;
    this.#port = owner.openPort(group);
  }

  /** Waits: never; it is the bio that does. */
  map(bio: Bio, task: Task): Awaitable<MapResult> {
    bio.device = this.#route.device;
    bio.sector += this.#shiftSectors;
    const isHeld = this.#port.throttle(bio, task);
    return isPending(isHeld) ? isHeld.then(resultOf) : resultOf(isHeld);
  }

  /** `info`: what the group has done, on all devices, in the words of io.stat. */
  status(kind: StatusKind): string {
    if (kind === "info") return this.#throttle.ioStat(this.#group, this.#group);
    const { device, startSector } = this.#route;
    return `${this.#context.deviceLabel(device)} ${String(startSector)} ${this.#group}`;
  }

  devices(): DeviceRange[] {
    const { sizeSectors } = this.#context;
    return [{ ...this.#route, sizeSectors }];
  }

  /** Lets everything go at once: the suspend waits for it. */
  presuspend(task: Task): Awaitable<void> {
    return this.#port.release(task);
  }

  presuspendUndo(): void {
    this.#port.hold();
  }

  resume(): void {
    this.#port.hold();
  }

  /** `max rbps=1048576 wiops=max`, `burst 500`, either alone, `stat`, `histogram`, `reset`: of the group. */
  message([command = "", ...words]: readonly string[]): string {
    const group = this.#group;
    if (command === "max") {
      const limits = parseLimits(words.join(" "), this.#throttle.limitsOf(group));
      if (words.length > 0) this.#throttle.setLimits(group, limits);
      return formatLimits(limits);
    }
    if (command === "burst" && words.length <= 1) return this.#burst(words[0]);
    if (words.length > 0) throw this.#refusal(command);
    if (command === "stat") return this.#throttle.ioStat(group, group);
    if (command === "histogram") return this.#throttle.heldHistogram(group).join(" ");
    if (command !== "reset") throw this.#refusal(command);
    this.#throttle.resetStats(group);
    return "";
  }

  destroy(task: Task): Promise<void> {
    return this.#port.close(task);
  }

  /** Sets for how many milliseconds allowances are kept, if told; answers it. */
  #burst(word: string | undefined): string {
    if (word !== undefined) {
      const burstMs = /^\d{1,9}$/.test(word) ? Number(word) : NaN;
      if (Number.isNaN(burstMs)) {
        throw this.#context.error(
          "Invalid burst",
          "EINVAL",
          `"${word}" is no number of milliseconds`,
        );
      }
      this.#throttle.setLimits(this.#group, {}, burstMs);
    }
    return String(this.#throttle.burstMsOf(this.#group));
  }

  #refusal(command: string): Error {
    return this.#context.error(
      "Unrecognised message received",
      "EINVAL",
      `"${command}" is none of max LIMITS, burst MS, stat, histogram and reset`,
    );
  }
}

function resultOf(isHeld: boolean): MapResult {
  return isHeld ? MapResult.Submitted : MapResult.Remapped;
}
