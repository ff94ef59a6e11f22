import type { Scheduler } from "@blkstack/task";
import type { Connection } from "./connection.ts";
import type { ExportBackend } from "./export-backend.ts";
import type { ExportTable, NbdExport } from "./export.ts";
import type { DisabledFeatures } from "./features.ts";
import type { NbdLimits } from "./limits.ts";
import type { Log } from "./log.ts";
import type { ReplyMemory } from "./reply-memory.ts";
import type { TlsAcceptor } from "./server-tls.ts";
import type { SocketTuning } from "./socket-tuning.ts";
import type { TurnEnd } from "./turn-end.ts";
import type { Vigil } from "./vigil.ts";

/** What the connections of one server share, and whom they tell of themselves. */
export interface ConnectionContext {
  readonly scheduler: Scheduler;
  readonly limits: NbdLimits;
  readonly exports: ExportTable;
  readonly disabled: DisabledFeatures;
  /** Null: TLS is not spoken. */
  readonly tls: TlsAcceptor | null;
  readonly turnEnd: TurnEnd;
  readonly vigil: Vigil;
  /** Null: sockets stay as the system makes them. */
  readonly sockets: SocketTuning | null;
  /** Received into by whichever socket is readable: its bytes are taken before the next one is. */
  readonly receiveBuffer: Buffer;
  /** A part of it: enough for some headers, where payload is not to come along. */
  readonly headerBuffer: Buffer;
  readonly replyMemory: ReplyMemory;
  readonly log: Log;
  openBackend(entry: NbdExport): ExportBackend;
  /** The client has chosen its export. */
  begun(connection: Connection): void;
  /** The socket is closed. */
  closed(connection: Connection): void;
  /** Nothing of the client is left, in the devices either. */
  gone(connection: Connection): void;
}
