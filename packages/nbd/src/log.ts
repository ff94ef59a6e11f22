/** Something that whoever runs a server may want to know. */
export interface LogEvent {
  readonly level: "debug" | "info" | "warn";
  /** What kind of event it is, for programs. */
  readonly event: "connected" | "chosen" | "disconnected" | "closed" | "socket" | "refused" | "tls";
  /** Which connection, counted from 1; 0 when it concerns the server. */
  readonly connection: number;
  /** Who is at the other end: `127.0.0.1:40210`, or `unix`. */
  readonly peer: string;
  /** The export that was chosen; null: none yet. */
  readonly export: string | null;
  readonly message: string;
}

export type Log = (line: LogEvent) => void;
