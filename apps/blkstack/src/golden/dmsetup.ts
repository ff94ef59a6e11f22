import { BlockError, ERRNO_MESSAGES } from "@blkstack/block";
import { type DeviceMapper, parseTable, TableError } from "@blkstack/device-mapper";
import type { Task } from "@blkstack/task";

/** What a command left behind: its exit code, what it printed, and what the kernel logged. */
export interface Answer {
  readonly rc: number;
  readonly output: readonly string[];
  readonly kmsg: readonly string[];
  /** Why it was refused, as people are told; absent: it was not, or not by the kernel. */
  readonly refusal?: string;
}

export interface CreateFlags {
  readonly isReadOnly: boolean;
  readonly hasNoTable: boolean;
}

const NAME_BYTES_MAX = 127;

/** Gives a device mapper the commands of `dmsetup`, and says what that would have printed. */
export class Dmsetup {
  readonly #dm: DeviceMapper;

  constructor(dm: DeviceMapper) {
    this.#dm = dm;
  }

  async create(
    name: string,
    lines: readonly string[],
    { isReadOnly, hasNoTable }: CreateFlags,
    task: Task,
  ): Promise<Answer> {
    if (name.includes("/")) return failed(`Name "${name}" invalid. It contains "/".`);
    if (Buffer.byteLength(name) > NAME_BYTES_MAX) return failed(`Name "${name}" too long.`);
    const text = lines.join("\n");
    const misread = readingError(text);
    if (misread !== null) return failed(misread);
    try {
      await this.#dm.create(name, task, { isReadOnly });
    } catch (error) {
      return refused("create", name, error);
    }
    if (hasNoTable || parseTable(text).length === 0) return done();
    const { deviceNumber } = this.#dm.info(name);
    try {
      await this.#dm.load(name, text, task, { isReadOnly });
    } catch (error) {
      await this.#dm.remove(name, task);
      return refused("reload", name, error, `(${deviceNumber})`);
    }
    return this.#resumeNew(name, task);
  }

  async load(name: string, lines: readonly string[], task: Task): Promise<Answer> {
    const text = lines.join("\n");
    const misread = readingError(text);
    if (misread !== null) return failed(misread);
    return this.#attempt("reload", name, () => this.#dm.load(name, text, task));
  }

  suspend(name: string, task: Task): Promise<Answer> {
    return this.#attempt("suspend", name, () => this.#dm.suspend(name, task));
  }

  resume(name: string, task: Task): Promise<Answer> {
    return this.#attempt("resume", name, () => this.#dm.resume(name, task));
  }

  clear(name: string, task: Task): Promise<Answer> {
    return this.#attempt("clear", name, () => this.#dm.clear(name, task));
  }

  remove(name: string, task: Task): Promise<Answer> {
    return this.#attempt("remove", name, () => this.#dm.remove(name, task));
  }

  async message(
    name: string,
    sector: number,
    words: readonly string[],
    task: Task,
  ): Promise<Answer> {
    try {
      const answer = await this.#dm.message(name, sector, words, task);
      return { ...done(), output: answer === "" ? [] : answer.split("\n") };
    } catch (error) {
      return refused("message", name, error);
    }
  }

  status(name: string): Answer {
    if (!this.exists(name)) return failed("Device does not exist.");
    return { ...done(), output: orBlankLine(this.#dm.status(name)) };
  }

  table(name: string): Answer {
    if (this.exists(name)) return { ...done(), output: orBlankLine(this.#dm.table(name)) };
    return failed(`device-mapper: table ioctl on ${name}  failed: ${ERRNO_MESSAGES.ENXIO}`);
  }

  /** `dmsetup info -c -o name,attr,open,segments,events,major,minor`. */
  info(name: string): Answer {
    if (!this.exists(name)) return failed("Device does not exist.");
    const { openCount, targetCount, eventNumber, deviceNumber } = this.#dm.info(name);
    const fields = [name, this.#attributes(name), openCount, targetCount, eventNumber];
    return { ...done(), output: [[...fields, deviceNumber].join(":")] };
  }

  /** `dmsetup info -c -o name,attr,segments`. */
  shortInfo(name: string): Answer {
    if (!this.exists(name)) return failed("Device does not exist.");
    const fields = [name, this.#attributes(name), this.#dm.info(name).targetCount];
    return { ...done(), output: [fields.join(":")] };
  }

  /** `dmsetup ls`. */
  list(): string[] {
    const devices = this.#dm.list();
    if (devices.length === 0) return ["No devices found"];
    return devices.map(({ name, deviceNumber }) => `${name}\t(${deviceNumber})`);
  }

  exists(name: string): boolean {
    return this.#dm.list().some((device) => device.name === name);
  }

  /** `L--w`: live table, inactive table, suspended, writable. */
  #attributes(name: string): string {
    const { hasLiveTable, hasInactiveTable, isSuspended, isReadOnly } = this.#dm.info(name);
    const flags = [hasLiveTable ? "L" : "-", hasInactiveTable ? "I" : "-", isSuspended ? "s" : "-"];
    return [...flags, isReadOnly ? "r" : "w"].join("");
  }

  async #resumeNew(name: string, task: Task): Promise<Answer> {
    try {
      await this.#dm.resume(name, task);
      return done();
    } catch (error) {
      await this.#dm.remove(name, task);
      return refused("resume", name, error);
    }
  }

  async #attempt(verb: string, name: string, command: () => Promise<void>): Promise<Answer> {
    try {
      await command();
      return done();
    } catch (error) {
      return refused(verb, name, error);
    }
  }
}

function done(): Answer {
  return { rc: 0, output: [], kmsg: [] };
}

function failed(message: string): Answer {
  return { rc: 1, output: [message, "Command failed."], kmsg: [] };
}

/** `number` is known to the program only while it creates a device. */
function refused(verb: string, name: string, error: unknown, number = ""): Answer {
  if (!(error instanceof BlockError)) throw error;
  const why = ERRNO_MESSAGES[error.errno];
  const kmsg = error instanceof TableError ? error.kernelLog : [];
  return {
    ...failed(`device-mapper: ${verb} ioctl on ${name} ${number} failed: ${why}`),
    kmsg: kmsg.map((line) => `device-mapper: ${line}`),
    refusal: error.message,
  };
}

/** What the program says of a table that it cannot read; the kernel never sees such a one. */
function readingError(text: string): string | null {
  try {
    parseTable(text);
    return null;
  } catch (error) {
    if (!(error instanceof TableError)) throw error;
    return `Invalid format on line ${String(error.lineNumber)} of table on stdin.`;
  }
}

function orBlankLine(lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [""] : lines;
}
