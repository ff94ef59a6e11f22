import { execFile } from "node:child_process";
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

/** What SPIN has to say of a model. */
export interface SpinVerdict {
  readonly states: number;
  /** States in which somebody is not where it may stay, and nobody can go on. */
  readonly deadlocked: number;
}

const run = promisify(execFile);

/** Whether SPIN or a C compiler is not installed; says so once on stderr. */
export function isSpinMissing(): boolean {
  const missing = ["spin", "cc"].filter((tool) => !isInstalled(tool));
  if (missing.length > 0) {
    process.stderr.write(`skipped: ${missing.join(", ")} missing; install spin and gcc\n`);
  }
  return missing.length > 0;
}

function isInstalled(tool: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, tool), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Has SPIN visit all states of a model. `defines` go to the model: `["N=3"]`. */
export async function verify(model: string, defines: readonly string[] = []): Promise<SpinVerdict> {
  const folder = mkdtempSync(join(tmpdir(), "blkstack-spin-"));
  const inside = { cwd: folder };
  try {
    writeFileSync(join(folder, "model.pml"), model);
    await run("spin", [...defines.map((define) => `-D${define}`), "-a", "model.pml"], inside);
    const options = ["-O0", "-w", "-DSAFETY", "-DNOREDUCE", "-o", "pan", "pan.c"];
    await run("cc", options, inside);
    // Count every error, and leave no trail of any.
    const { stdout } = await run("./pan", ["-c0", "-m100000"], inside);
    return {
      states: figure(stdout, /(\d+) states, stored/),
      deadlocked: figure(stdout, /errors: (\d+)/),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function figure(text: string, pattern: RegExp): number {
  const found = pattern.exec(text)?.[1];
  if (found === undefined) throw new Error(`SPIN said something else:\n${text}`);
  return Number(found);
}
