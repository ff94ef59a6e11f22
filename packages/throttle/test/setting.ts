import { Bio, BioOp } from "@blkstack/bio";
import { Memory } from "@blkstack/memory";
import { isPending, type Task } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import {
  type GroupLimits,
  Throttle,
  type ThrottleOptions,
  type ThrottlePort,
} from "../src/index.ts";

export const MIB = 1048576;

/** A throttle over nothing, that tells when each bio went: `a1 1000`. Time begins at 1000 ms. */
export class Bench {
  readonly scheduler = new VirtualScheduler({ startMs: 1000 });
  readonly memory: Memory = new Memory({ scheduler: this.scheduler });
  readonly throttle: Throttle;
  readonly log: string[] = [];
  readonly #names = new WeakMap<Bio, string>();

  constructor(options: Partial<ThrottleOptions> = {}) {
    this.throttle = new Throttle({
      scheduler: this.scheduler,
      memory: this.memory,
      submitter: {
        submitBio: (bio) => {
          this.#went(bio);
        },
      },
      ...options,
    });
  }

  /** A group, and a port of it. */
  port(name: string, limits: Partial<GroupLimits>, parent?: string): ThrottlePort {
    this.throttle.addGroup(name, { limits, ...(parent === undefined ? {} : { parent }) });
    return this.throttle.openPort(name);
  }

  /** Submits bios in the order of their names. */
  async submit(port: ThrottlePort, op: BioOp, bytes: number, names: string[]): Promise<void> {
    await this.scheduler.perform("submitter", async (task) => {
      for (const name of names) await this.submitOne(port, op, bytes, name, task);
    });
  }

  async submitOne(
    port: ThrottlePort,
    op: BioOp,
    bytes: number,
    name: string,
    task: Task,
  ): Promise<void> {
    const bio = new Bio();
    bio.op = op;
    bio.sizeBytes = bytes;
    this.#names.set(bio, name);
    const isHeld = port.throttle(bio, task);
    if (!(isPending(isHeld) ? await isHeld : isHeld)) this.#went(bio);
  }

  async read(port: ThrottlePort, bytes: number, ...names: string[]): Promise<void> {
    await this.submit(port, BioOp.Read, bytes, names);
  }

  async write(port: ThrottlePort, bytes: number, ...names: string[]): Promise<void> {
    await this.submit(port, BioOp.Write, bytes, names);
  }

  /** When each went. */
  get times(): number[] {
    return this.log.map((line) => Number(line.split(" ")[1]));
  }

  #went(bio: Bio): void {
    const name = this.#names.get(bio) ?? "?";
    this.log.push(`${name} ${String(this.scheduler.clock.nowMs())}`);
  }
}

/** `r0`, `r1` and so on. */
export function named(letter: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${letter}${String(index)}`);
}
