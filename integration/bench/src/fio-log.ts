import { execFile } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A request that ended. */
export interface Completion {
  /** Since its job began. */
  readonly atMs: number;
  readonly bytes: number;
}

/**
 * Runs jobs at the same time, each a connection of its own; answers when which request of each ended.
 * `log`: how the paths of files begin that are written and removed for that. Throws when a job
 * fails.
 */
export async function completionsOf(
  jobs: readonly (readonly string[])[],
  log: string,
): Promise<Completion[][]> {
  // Global: before the name of the first job, and before what only this engine knows.
  const common = ["--ioengine=nbd", "--norandommap", `--write_lat_log=${log}`];
  const quiet = ["--disable_slat=1", "--disable_clat=1", "--output-format=terse"];
  await run("fio", [...common, ...quiet, ...jobs.flat()]);
  return jobs.map((_, index) => {
    const path = `${log}_lat.${String(index + 1)}.log`;
    const lines = readFileSync(path, "utf8").trimEnd().split("\n");
    rmSync(path);
    return lines.map((line) => {
      const [atMs, , , bytes] = line.split(",").map(Number);
      return { atMs: atMs ?? NaN, bytes: bytes ?? NaN };
    });
  });
}
