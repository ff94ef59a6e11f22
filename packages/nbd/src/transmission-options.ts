import type { Task } from "@blkstack/task";
import type { Dialect } from "./dialect.ts";
import type { ExportBackend } from "./export-backend.ts";
import type { NbdLimits } from "./limits.ts";
import type { MetaContext } from "./meta-context.ts";
import type { CheckedExport } from "./request-check.ts";
import type { ReplyMemory } from "./reply-memory.ts";
import type { Request } from "./request.ts";

/** Whom the transmission answers to. */
export interface TransmissionPeer {
  /** A request has its outcome. Interrupt context. */
  reply(request: Request): void;
  /** There is room again, or a wait is over: call `proceed` soon. Perhaps interrupt context. */
  canProceed(): void;
  /** The client broke the protocol, or something broke here: only closing is left. */
  fail(reason: string): void;
}

export interface TransmissionOptions {
  readonly backend: ExportBackend;
  readonly described: CheckedExport;
  readonly dialect: Dialect;
  /** What BLOCK_STATUS is to tell. */
  readonly contexts: readonly MetaContext[];
  readonly limits: NbdLimits;
  readonly replyMemory: ReplyMemory;
  readonly task: Task;
  readonly peer: TransmissionPeer;
}
