import { ServedStack } from "../served-stack.ts";
import { FioVerify } from "./fio-verify.ts";
import { FlushedBlocks } from "./flushed-blocks.ts";

const MIB = 1024 * 1024;
/** The first part of each export is ours, the rest is fio's. */
const OURS_MIB = 16;
const EXPORT_MIB = 96;
const SECTORS = String(EXPORT_MIB * 2048);
/** From the beginning of fio's writes on. */
const KILL_MS_MIN = 150;
const KILL_MS_MAX = 2500;

/** Stacks that are killed, by name: a plain file, and most of what can stand on one. */
export const STACKS = {
  file: `
disks:
  image: { file: ./image.img, size: ${String(EXPORT_MIB)}MiB, create: true }
exports:
  vm: { device: image }
`,
  stack: `
disks:
  base: { file: ./base.img, size: ${String(EXPORT_MIB)}MiB, create: true }
  cow: { file: ./cow.img, size: ${String(4 * EXPORT_MIB)}MiB, create: true }
groups:
  tenant: "wbps=200000000"
devices:
  part: 0 ${SECTORS} linear base 0
  slow: 0 ${SECTORS} throttle part 0 tenant
  vm: 0 ${SECTORS} snapshot-origin slow
  before: 0 ${SECTORS} snapshot slow cow P 8
exports:
  vm: { device: vm }
  before: { device: before }
`,
} as const;

export type StackName = keyof typeof STACKS;

/** What came of one kill. */
export interface Round {
  /** After how much of the load. */
  readonly killedMs: number;
  /** From the start of the next server until it had answered a read. */
  readonly servedMs: number;
  readonly flushes: number;
  /** Writes that were under way when it was killed. */
  readonly broken: number;
  readonly fioBytes: number;
  readonly ownBytes: number;
  readonly lost: number;
  readonly unflushed: number;
  readonly mixed: number;
}

/** Serves one stack again and again, however the server before has ended. */
export class Rounds {
  readonly #served = new ServedStack();
  readonly #stack: string;
  readonly #blocks: ReadonlyMap<string, FlushedBlocks>;
  #round = 0;

  constructor(name: StackName) {
    this.#stack = STACKS[name];
    const exports = name === "file" ? ["vm"] : ["vm", "before"];
    const count = (OURS_MIB * MIB) / 4096;
    this.#blocks = new Map(exports.map((each) => [each, new FlushedBlocks(count)]));
  }

  async start(): Promise<void> {
    await this.#served.serve(this.#stack);
  }

  /** Kills the server at a moment between 0 and 1, starts the next one, and compares. */
  async next(moment: number): Promise<Round> {
    const round = this.#round;
    this.#round += 1;
    const { served } = this.#served;
    const fio = new FioVerify(this.#served.bench.folder, this.#served.uriOf("vm"), OURS_MIB * MIB);
    const beganMs = performance.now();
    const killAfterMs = KILL_MS_MIN + moment * (KILL_MS_MAX - KILL_MS_MIN);
    const all = [...this.#blocks].map(async ([name, blocks]) => {
      const client = await this.#served.open(name);
      const [flushes, broken] = [blocks.flushes, blocks.broken];
      await blocks.writeUntilGone(client);
      client.close();
      return [blocks.flushes - flushes, blocks.broken - broken] as const;
    });
    const [, ...written] = await Promise.all([
      fio.writeUntilKilled(round, served.pid, killAfterMs),
      ...all,
    ]);
    await served.stop("SIGKILL");
    const killedMs = performance.now() - beganMs;
    const servedMs = await this.#serveAgain();
    const fioBytes = await fio.verify(round);
    const sums = { ownBytes: 0, lost: 0, unflushed: 0, mixed: 0 };
    for (const [name, blocks] of this.#blocks) {
      const client = await this.#served.open(name);
      const found = await blocks.verify(client);
      client.close();
      sums.ownBytes += found.bytes;
      for (const key of ["lost", "unflushed", "mixed"] as const) sums[key] += found[key];
    }
    const flushes = written.reduce((sum, [count]) => sum + count, 0);
    const broken = written.reduce((sum, [, count]) => sum + count, 0);
    return { killedMs, servedMs, flushes, broken, fioBytes, ...sums };
  }

  async clear(): Promise<void> {
    await this.#served.clear();
  }

  /** Answers how many milliseconds passed until a read was answered. */
  async #serveAgain(): Promise<number> {
    const beganMs = performance.now();
    await this.#served.serve(this.#stack);
    const client = await this.#served.open("vm");
    await client.read(0, 4096);
    client.close();
    return performance.now() - beganMs;
  }
}
