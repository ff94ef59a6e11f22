/** What can be wrong with a run. */
export type FindingKind =
  /** A set of tasks, pools and bios none of which can go on without another of the set. */
  | "DEADLOCK"
  /** Nobody moves, and nobody is known who could end the wait: a lost wake-up, a lost bio. */
  | "STALL"
  /** What a sleeper waits for came between its look and its sleep. */
  | "LOST_WAKEUP"
  | "LIVELOCK"
  /** A task has waited for too long, although the run goes on. */
  | "HUNG_TASK"
  /** The code broke a promise to itself. */
  | "BUG"
  | "SLEEP_IN_ATOMIC"
  | "USE_AFTER_FREE"
  | "DOUBLE_FREE"
  /** A bio is to end that is on its way to its end already. */
  | "DOUBLE_COMPLETION"
  | "LEAK"
  | "WARN"
  /** A task ended with an error. */
  | "ERROR"
  /** After a power cut something is missing that was durable. */
  | "LOST_WRITE"
  /** After a power cut there is what nobody ever wrote there. */
  | "CORRUPTION"
  /** The scenario's own check at the end complains. */
  | "WRONG"
  /** The same choices led somewhere else. */
  | "NONDETERMINISM"
  /** Time, chance or a timer is taken from the platform, not asked for of the scheduler. */
  | "FOREIGN_CALL"
  /** Two steps that touch nothing in common, as far as they said, cannot change places. */
  | "HIDDEN_SHARING"
  /** A task waits for something that the explorer does not schedule. */
  | "FOREIGN_AWAIT";

/** Somebody waits in vain: then who waits for whom is what there is to tell. */
export const ENDS_OF_WAITS: ReadonlySet<FindingKind> = new Set<FindingKind>([
  "DEADLOCK",
  "STALL",
  "LOST_WAKEUP",
]);

export interface Finding {
  readonly kind: FindingKind;
  readonly message: string;
}

/** Thrown by a scenario's parts to name the finding themselves. */
export class FindingError extends Error {
  override readonly name = "FindingError";
  readonly kind: FindingKind;

  constructor(kind: FindingKind, message: string) {
    super(message);
    this.kind = kind;
  }
}
