import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Bytes } from "@blkstack/bio";

/** What the machine says of its memory. */
export interface SystemMemory {
  /** How much of the last ten seconds some task stood still for want of memory; null: not told. */
  readonly stalledPercent: number | null;
  /** How far the processes of our control group are above what is fine for it; null: no limit. */
  readonly excessBytes: Bytes | null;
}

/** Kernels slow a group down at its limit, so something is to be done a little before it. */
const FINE_SHARE = 0.95;

/** Reads what the kernel tells under `root`, which is `/` but in tests. */
export class SystemMemoryFiles {
  readonly #root: string;
  readonly #group: string | null;

  private constructor(root: string, group: string | null) {
    this.#root = root;
    this.#group = group;
  }

  /** Null where the kernel tells neither of pressure nor of a control group. */
  static async find(root: string): Promise<SystemMemoryFiles | null> {
    const files = new SystemMemoryFiles(root, await ownGroup(root));
    const { stalledPercent, excessBytes } = await files.read();
    return stalledPercent === null && excessBytes === null ? null : files;
  }

  async read(): Promise<SystemMemory> {
    const pressure = await textOf(join(this.#root, "proc/pressure/memory"));
    const stalled = pressure === null ? null : /^some avg10=([0-9.]+)/m.exec(pressure);
    return {
      stalledPercent: stalled === null ? null : Number(stalled[1]),
      excessBytes: this.#group === null ? null : await excessOf(this.#group),
    };
  }
}

async function excessOf(group: string): Promise<Bytes | null> {
  const [current, high, max] = await Promise.all(
    ["memory.current", "memory.high", "memory.max"].map((name) => numberIn(join(group, name))),
  );
  const limitBytes = Math.min(high ?? Infinity, max ?? Infinity);
  if (typeof current !== "number" || limitBytes === Infinity) return null;
  return current - Math.floor(limitBytes * FINE_SHARE);
}

/** The folder of the control group that this process is in. */
async function ownGroup(root: string): Promise<string | null> {
  const groups = await textOf(join(root, "proc/self/cgroup"));
  const own = groups === null ? null : /^0::(.+)$/m.exec(groups);
  return own === null ? null : join(root, "sys/fs/cgroup", own[1] ?? "");
}

/** Null for `max`, which is no number, and where there is no such file. */
async function numberIn(path: string): Promise<number | null> {
  const text = (await textOf(path))?.trim() ?? "";
  return /^[0-9]+$/.test(text) ? Number(text) : null;
}

/** Null where there is no such file, or the kernel does not let us read it. */
async function textOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error) return null;
    throw error;
  }
}
