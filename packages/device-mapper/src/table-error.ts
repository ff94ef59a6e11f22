import { BlockError, type Errno } from "@blkstack/block";

/** What a table complaint is about. */
export interface TableComplaint {
  readonly errno: Errno;
  /** What a person should read, without the place. */
  readonly message: string;
  /** The line of the table text, from 1. */
  readonly lineNumber?: number;
  /** Which argument behind the type name, from 1. */
  readonly argumentNumber?: number;
  /** What a kernel would log, line by line, without the leading `device-mapper: `. */
  readonly kernelLog?: readonly string[];
}

/** A table was refused. The message names the line, and the argument where one is to blame. */
export class TableError extends BlockError {
  readonly lineNumber: number | undefined;
  readonly argumentNumber: number | undefined;
  /** For comparison with recordings of a kernel; without the leading `device-mapper: `. */
  readonly kernelLog: readonly string[];

  constructor(complaint: TableComplaint, options?: ErrorOptions) {
    super("BLK_TABLE", complaint.errno, placed(complaint), options);
    this.lineNumber = complaint.lineNumber;
    this.argumentNumber = complaint.argumentNumber;
    this.kernelLog = complaint.kernelLog ?? [];
  }
}

function placed({ lineNumber, argumentNumber, message }: TableComplaint): string {
  if (lineNumber === undefined) return message;
  const argument = argumentNumber === undefined ? "" : `, argument ${String(argumentNumber)}`;
  return `table line ${String(lineNumber)}${argument}: ${message}`;
}
