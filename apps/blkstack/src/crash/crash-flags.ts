import type { Bytes } from "@blkstack/bio";
import { UserError } from "../user-error.ts";

/** What `blkstack crash` was told. */
export interface CrashFlags {
  readonly workload?: string;
  readonly check?: string;
  readonly checkSeconds: number;
  readonly export?: string;
  readonly log?: string;
  readonly marks?: boolean;
  readonly base?: string;
  readonly replay?: string;
  readonly points: number | "all";
  readonly subsets: number;
  readonly torn?: boolean;
  readonly ignoreFlushes?: boolean;
  readonly seed: number;
  readonly jobs: number;
  readonly point?: number;
  readonly lost?: string;
  readonly keep?: string;
  readonly memory: Bytes;
  readonly json?: boolean;
}

/** Throws a UserError when they do not go together. */
export function checkFlags(stack: string | undefined, flags: CrashFlags): void {
  const { workload, check, replay, base, point, lost, keep } = flags;
  if (replay !== undefined) {
    if (stack !== undefined || workload !== undefined) {
      throw new UserError("--replay checks what was recorded; leave the stack and --workload out");
    }
    if (base === undefined) throw new UserError("--replay needs --base, the disk as it was before");
    if (check === undefined) throw new UserError("nothing to check with; give --check");
  } else if (stack === undefined || workload === undefined) {
    throw new UserError(
      "nothing to record; give a stack file and --workload, or --replay and a log",
    );
  } else if (check === undefined && keep === undefined) {
    throw new UserError("give --check, or --keep and a folder for what is recorded");
  }
  if (point !== undefined && replay === undefined) {
    throw new UserError("--point is one of a log that is recorded; give that by --replay");
  }
  if (lost !== undefined && point === undefined) {
    throw new UserError("--lost says what is lost at a --point");
  }
}
