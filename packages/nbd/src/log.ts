/** Something that whoever runs a server may want to know. */
export interface LogEvent {
  readonly level: "debug" | "info" | "warn";
  /** Which connection, counted from 1; 0 when it concerns the server. */
  readonly connection: number;
  readonly message: string;
}

export type Log = (line: LogEvent) => void;
