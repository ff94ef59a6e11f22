/** What can be wrong with a log; stable, for programs to test. */
export type LogProblem =
  /** It cannot be read where something should be. */
  | "unreadable"
  /** It ends where a super block, a head or data should be. */
  | "truncated"
  /** Nothing that starts as a log does. */
  | "bad-magic"
  | "bad-version"
  | "bad-block-size"
  /** A number that no device has. */
  | "absurd-entry"
  /** A mark whose text does not fit into its block. */
  | "bad-mark"
  /** There is no such mark, or no such entry, to replay up to. */
  | "not-there"
  /** An entry for sectors that the target of a replay does not have. */
  | "beyond-target"
  /** The target of a replay would not take what was written. */
  | "unwritable";

/** Why a log cannot be read, or not be replayed; `message` says what and where, for people. */
export class LogError extends Error {
  override readonly name = "LogError";
  readonly problem: LogProblem;

  constructor(problem: LogProblem, message: string) {
    super(message);
    this.problem = problem;
  }
}
