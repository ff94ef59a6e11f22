import { Bio, BioOp } from "@blkstack/bio";
import { syncInPath } from "@blkstack/io-group";
import { Memory } from "@blkstack/memory";
import { Completion, isPending, type Task } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import {
  formatIoMax,
  NO_LIMITS,
  parseIoMax,
  Throttle,
  type ThrottlePort,
} from "@blkstack/throttle";

/** Between programs, so that what one used is none of the next one's business. */
const PAUSE_MS = 1000;

/** Requests of one size, one after the other in each of some threads. */
export interface Program {
  readonly isRead: boolean;
  readonly requests: number;
  readonly requestBytes: number;
  readonly threads: number;
}

/** One group with limits for each of some disks, in virtual time; the disks take none. */
export class ThrottledMachine {
  readonly #scheduler = new VirtualScheduler({ isExploring: false });
  readonly #waiting = new Map<Bio, Completion>();
  /** Limits are counted as the recorded kernel does: see the options of the throttle. */
  readonly #throttle = new Throttle({
    scheduler: this.#scheduler,
    memory: new Memory({ scheduler: this.#scheduler }),
    submitter: {
      submitBio: (bio) => {
        this.#waiting.get(bio)?.complete();
      },
    },
    statsAlloc: syncInPath,
    fractions: "dropped",
  });
  readonly #ports = new Map<string, ThrottlePort>();
  /** That somebody used, the one that came last first. */
  readonly #used: string[] = [];

  constructor(devices: readonly string[]) {
    for (const device of devices) {
      this.#throttle.addGroup(device);
      this.#ports.set(device, this.#throttle.openPort(device));
    }
  }

  /** Takes a line of io.max, and answers whose it is. */
  setLimits(line: string): string {
    const { device, limits } = parseIoMax(line, (...number) => {
      const device = number.join(":");
      return this.#ports.has(device) ? this.#throttle.limitsOf(device) : undefined;
    });
    this.#throttle.setLimits(device, { ...NO_LIMITS, ...limits });
    return device;
  }

  ioMax(device: string): string {
    return formatIoMax(device, this.#throttle.limitsOf(device));
  }

  ioStat(): string[] {
    return this.#used.map((device) => this.#throttle.ioStat(device, device));
  }

  ioCount(device: string, isRead: boolean): number {
    const stat = this.#throttle.ioStat(device, device);
    return Number((isRead ? / rios=(\d+)/ : / wios=(\d+)/).exec(stat)?.[1]);
  }

  /** When each request ended, in ms since the beginning. `parts`: what each is cut into. */
  async run(device: string, program: Program, parts: number): Promise<number[]> {
    if (!this.#used.includes(device)) this.#used.unshift(device);
    await this.#scheduler.advance(PAUSE_MS);
    const { clock } = this.#scheduler;
    const startMs = clock.nowMs();
    const endsMs: number[] = [];
    let begun = 0;
    for (let thread = 0; thread < program.threads; thread += 1) {
      this.#scheduler.spawn("thread", async (task) => {
        while (begun < program.requests) {
          begun += 1;
          await this.#request(device, program, parts, task);
          endsMs.push(clock.nowMs() - startMs);
        }
      });
    }
    while (endsMs.length < program.requests) await this.#scheduler.advance(PAUSE_MS);
    return endsMs;
  }

  async #request(
    device: string,
    { isRead, requestBytes }: Program,
    parts: number,
    task: Task,
  ): Promise<void> {
    const held: Completion[] = [];
    for (let part = 0; part < parts; part += 1) {
      const bio = new Bio();
      bio.op = isRead ? BioOp.Read : BioOp.Write;
      bio.sizeBytes =
        Math.floor(((part + 1) * requestBytes) / parts) - Math.floor((part * requestBytes) / parts);
      const end = new Completion("request", { scheduler: this.#scheduler });
      this.#waiting.set(bio, end);
      const isHeld = this.#ports.get(device)?.throttle(bio, task);
      if (isPending(isHeld) ? await isHeld : isHeld === true) held.push(end);
    }
    for (const end of held) {
      const ended = end.wait(task);
      if (isPending(ended)) await ended;
    }
  }
}
