import type { NbdServer } from "@blkstack/nbd";
import type { ReloadStep, Stack } from "@blkstack/stack";
import type { LiveExports } from "../live-exports.ts";
import type { StackPlan } from "../stack-file.ts";
import type { TlsFolder } from "../tls-folder.ts";
import { UserError } from "../user-error.ts";

export interface ReloaderParts {
  readonly stack: Stack;
  readonly exports: LiveExports;
  readonly server: NbdServer;
  /** Reads the stack file; null: an image is served, and there is none. */
  readonly readPlan: (() => Promise<StackPlan>) | null;
  /** Null: TLS is not spoken. */
  readonly tls: TlsFolder | null;
}

/** What a reload has done to one part of what is served. */
export type DoneStep = ReloadStep | { readonly verb: "renew TLS"; readonly name: string };

/** Has a server that runs do what its stack file says by now, with the certificates that it has by now. */
export class Reloader {
  readonly #parts: ReloaderParts;

  constructor(parts: ReloaderParts) {
    this.#parts = parts;
  }

  /** Not twice at a time. Throws a StackError, UserError or BlockError; then nothing has changed. */
  async reload(): Promise<DoneStep[]> {
    const { server, readPlan, tls } = this.#parts;
    if (readPlan === null && tls === null) {
      throw new UserError("there is no stack file to read again");
    }
    // Looked at first and used last: the stack is what may yet be refused.
    const renewTls = tls === null ? null : await tls.reread(server);
    const steps: DoneStep[] = readPlan === null ? [] : await this.#reloadStack(await readPlan());
    if (tls === null || renewTls === null) return steps;
    renewTls();
    return [...steps, { verb: "renew TLS", name: tls.name }];
  }

  async #reloadStack({ description }: StackPlan): Promise<ReloadStep[]> {
    const { stack, exports } = this.#parts;
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
export function reloadText(steps: readonly DoneStep[]): string {
  const told = steps.filter(({ verb }) => verb !== "check");
  if (told.length === 0) return "reloaded: nothing has changed";
  return `reloaded: ${told.map(({ verb, name }) => `${verb} ${JSON.stringify(name)}`).join(", ")}`;
}
