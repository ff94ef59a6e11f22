import type { ReloadStep, Stack } from "@blkstack/stack";
import type { LiveExports } from "../live-exports.ts";
import type { StackPlan } from "../stack-file.ts";
import { UserError } from "../user-error.ts";

export interface ReloaderParts {
  readonly stack: Stack;
  readonly exports: LiveExports;
  /** Reads the stack file; null: an image is served, and there is none. */
  readonly readPlan: (() => Promise<StackPlan>) | null;
}

/** Has a server that runs do what its stack file says by now. */
export class Reloader {
  readonly #parts: ReloaderParts;

  constructor(parts: ReloaderParts) {
    this.#parts = parts;
  }

  /** Not twice at a time. Throws a StackError or UserError; then nothing has changed. */
  async reload(): Promise<ReloadStep[]> {
    const { stack, exports, readPlan } = this.#parts;
    if (readPlan === null) throw new UserError("there is no stack file to read again");
    const { description } = await readPlan();
    if (description.exports.size === 0) {
      throw new UserError("the stack file has no exports to serve");
    }
    if (JSON.stringify(description.targets) !== JSON.stringify(stack.description.targets)) {
      throw new UserError("targets of your own cannot be changed while they are in use");
    }
    return stack.reload(description, exports.host());
  }
}

/** What a reload has done, for people. */
export function reloadText(steps: readonly ReloadStep[]): string {
  const told = steps.filter(({ verb }) => verb !== "check");
  if (told.length === 0) return "reloaded: nothing has changed";
  return `reloaded: ${told.map(({ verb, name }) => `${verb} ${JSON.stringify(name)}`).join(", ")}`;
}
