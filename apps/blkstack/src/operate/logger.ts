import type { LogEvent } from "@blkstack/nbd";
import { pino } from "pino";
import type { TextOutput } from "../cli-io.ts";
import { EventRate } from "./event-rate.ts";

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** How a log is written: lines for people, or an object on each line for programs. */
export const LOG_FORMATS = ["text", "json"] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

/** One thing to be told. */
export interface LogEntry {
  readonly level: LogLevel;
  /** What kind of event it is; of each kind there is only so much in a log. */
  readonly event: string;
  readonly message: string;
  readonly export?: string;
  readonly connection?: number;
  readonly peer?: string;
}

export interface LoggerOptions {
  readonly output: TextOutput;
  readonly format: LogFormat;
  readonly level: LogLevel;
  readonly nowMs: () => number;
}

/** What a server has to say beside its answers. */
export class Logger {
  readonly #write: (entry: LogEntry, suppressed: number) => void;
  readonly #levelMin: number;
  readonly #rate: EventRate;

  constructor({ output, format, level, nowMs }: LoggerOptions) {
    this.#levelMin = LOG_LEVELS.indexOf(level);
    this.#rate = new EventRate(nowMs);
    this.#write = format === "json" ? jsonWriter(output) : textWriter(output);
  }

  /** Unless it is of too little interest, or too much of its kind has been told of late. */
  tell(entry: LogEntry): void {
    if (LOG_LEVELS.indexOf(entry.level) < this.#levelMin) return;
    const suppressed = this.#rate.admit(entry.event);
    if (suppressed !== null) this.#write(entry, suppressed);
  }

  /** What was asked for, whatever the level: where metrics are, what became of a reload. */
  announce(event: string, message: string): void {
    this.#write({ level: "info", event, message }, 0);
  }

  /** What a device says, a line as it comes: `snap: Invalidating snapshot: …`. */
  tellOfDevice(message: string): void {
    this.tell({ level: "warn", event: "device", message });
  }

  tellOfClient({ level, event, connection, peer, export: name, message }: LogEvent): void {
    this.tell({
      level,
      event: `client-${event}`,
      message,
      peer,
      ...(connection === 0 ? {} : { connection }),
      ...(name === null ? {} : { export: name }),
    });
  }
}

function jsonWriter(output: TextOutput): (entry: LogEntry, suppressed: number) => void {
  const log = pino(
    {
      level: "debug",
      base: null,
      messageKey: "message",
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    output,
  );
  return ({ level, message, ...fields }, suppressed) => {
    log[level](suppressed === 0 ? fields : { ...fields, suppressed }, message);
  };
}

function textWriter(output: TextOutput): (entry: LogEntry, suppressed: number) => void {
  return ({ connection, message }, suppressed) => {
    const who = connection === undefined ? "" : `client ${String(connection)}: `;
    const more = suppressed === 0 ? "" : ` (and ${String(suppressed)} more like it, not told)`;
    output.write(`blkstack: ${who}${oneLine(message)}${more}\n`);
  };
}

/** Clients name exports as they like: that must not look like another line, or move a terminal. */
function oneLine(message: string): string {
  // eslint-disable-next-line no-control-regex -- these are what must not come out
  return message.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, "?").trimEnd();
}
