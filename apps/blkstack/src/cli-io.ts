/** Where a command's words go. `process.stdout` is one. */
export interface TextOutput {
  write(text: string): unknown;
  /** Whether a person reads: then tables and colour. */
  readonly isTTY?: boolean;
}

/** What a command has of the world outside its arguments. */
export interface CliIo {
  readonly stdout: TextOutput;
  readonly stderr: TextOutput;
  /** All of standard input. */
  readInput(): Promise<string>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Paths on the command line are relative to this folder. */
  readonly cwd: string;
  /** Has `callback` called whenever somebody wants the command to end; answers how to stop that. */
  onStopSignal(callback: () => void): () => void;
  /** Has `callback` called whenever files are to be read again, which else is a wish to end. */
  onReloadSignal(callback: () => void): () => void;
  /** Has `callback` called whenever somebody wants a report; answers how to stop that. */
  onReportSignal(callback: () => void): () => void;
  /** Ends the process at once, with nothing tidied up. */
  exitNow(status: number): void;
}

/** What the commands share: the world, and how to say their exit status when it is not 0. */
export interface CommandContext {
  readonly io: CliIo;
  readonly exitWith: (status: number) => void;
}

/** The part of the contract that scripts live on. */
export const ExitStatus = {
  Ok: 0,
  /** Something was looked for, and found: a deadlock, a difference. */
  Found: 1,
  /** The user asked for what cannot be. One line says what. */
  Usage: 2,
  /** A defect of blkstack. */
  Internal: 3,
} as const;

/** Says one thing in one line. */
export function printLine(output: TextOutput, line: string): void {
  output.write(`${line}\n`);
}
