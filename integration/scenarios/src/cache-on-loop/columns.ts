import { GFP_KERNEL } from "@blkstack/task";
import type { LoopWorker } from "./setting.ts";

/** Who is there, beside the worker of the loop device. */
export interface Column {
  /** As a table of verdicts is headed. */
  readonly name: string;
  /** A task that needs a page inside a transaction of the filesystem. */
  readonly hasFilesystemTask: boolean;
  /** A task that needs a page, and holds nothing. */
  readonly hasProgram: boolean;
  readonly worker: LoopWorker;
}

/** It has what it needs. */
export const CONTENT: LoopWorker = { gfp: null, isNoIo: false };
/** It may do anything for a page. */
export const GREEDY: LoopWorker = { gfp: GFP_KERNEL, isNoIo: false };
/** It would do anything for a page, but has a scope. */
export const SCOPED: LoopWorker = { gfp: GFP_KERNEL, isNoIo: true };

const FILESYSTEM = { hasFilesystemTask: true, hasProgram: false } as const;
const PROGRAM = { hasFilesystemTask: false, hasProgram: true } as const;
const BOTH = { hasFilesystemTask: true, hasProgram: true } as const;

/** By the end of a variant's name. */
export const COLUMNS = {
  fs: { name: "F only", ...FILESYSTEM, worker: CONTENT },
  program: { name: "P only, W none", ...PROGRAM, worker: CONTENT },
  "program-worker": { name: "P only, W KERNEL", ...PROGRAM, worker: GREEDY },
  "program-noio-worker": { name: "P only, W NOIO", ...PROGRAM, worker: SCOPED },
  "both-noio-worker": { name: "F+P, W NOIO", ...BOTH, worker: SCOPED },
  "both-worker": { name: "F+P, W KERNEL", ...BOTH, worker: GREEDY },
} as const satisfies Readonly<Record<string, Column>>;
