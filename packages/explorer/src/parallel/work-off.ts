import type { AuditCount, Complaint } from "../audits/auditor.ts";
import type { Budget } from "../budget.ts";
import { type EndedBy, type Progress, Tally, type TallyCounts } from "../report.ts";
import type { Failure } from "../search.ts";
import type { Division } from "./divide.ts";
import type { Job, JobResult } from "./job.ts";

/** Somebody who does one job at a time. */
export interface Hand {
  /** Rejects when the job, or who does it, comes to grief. */
  run(job: Job, onProgress: (progress: TallyCounts) => void): Promise<JobResult>;
  /** Ends the present job early, if there is one; its result says what it came to. */
  stop(): void;
}

export interface WorkOptions {
  readonly budget: Budget;
  readonly after: "first" | "all";
  readonly onProgress: ((progress: Progress) => void) | undefined;
}

export interface WorkDone {
  readonly tally: Tally;
  readonly best: Failure | null;
  readonly endedBy: EndedBy;
  readonly isComplete: boolean;
  readonly complaint: Complaint | null;
  readonly audited: AuditCount;
  readonly progress: Progress;
}

/** Has all jobs done, by as many hands as there are. Rejects when one of them does. */
export async function workOff(
  division: Division,
  hands: readonly Hand[],
  options: WorkOptions,
): Promise<WorkDone> {
  const work = new Work(division, hands, options);
  await Promise.all(hands.map((hand, index) => work.goOn(hand, index)));
  return work.done();
}

class Work {
  readonly #division: Division;
  readonly #options: WorkOptions;
  readonly #hands: readonly Hand[];
  readonly #results = new Map<number, JobResult>();
  /** What the jobs at hand have counted so far. */
  readonly #running = new Map<number, TallyCounts>();
  /** Which job each hand is at. */
  readonly #jobOf: number[] = [];
  #next = 0;
  /** The first job, in their order, that has found something. */
  #foundIn = Infinity;
  #endedBy: EndedBy | null = null;

  constructor(division: Division, hands: readonly Hand[], options: WorkOptions) {
    this.#division = division;
    this.#hands = hands;
    this.#options = options;
    if (division.best !== null && options.after === "first") this.#endedBy = "found";
  }

  async goOn(hand: Hand, index: number): Promise<void> {
    for (;;) {
      this.#lookAround();
      const at = this.#next;
      const job = this.#division.jobs[at];
      if (job === undefined || this.#endedBy !== null || at > this.#lastWanted) return;
      this.#next += 1;
      this.#jobOf[index] = at;
      const result = await hand.run(job, (tally) => {
        this.#running.set(at, tally);
        this.#lookAround();
        this.#options.onProgress?.(this.#progress());
      });
      this.#running.delete(at);
      this.#results.set(at, result);
      if (result.best !== null) this.#found(at);
    }
  }

  done(): WorkDone {
    const { jobs, best, isExhaustive } = this.#division;
    const results = this.#inOrder();
    const isAll = results.length === jobs.length && this.#endedBy === null;
    const failures = [best, ...results.map((result) => result.best)].filter(
      (each) => each !== null,
    );
    return {
      tally: this.#tally(results),
      best: failures.reduce<Failure | null>(
        (least, each) => (least === null || each.steps < least.steps ? each : least),
        null,
      ),
      endedBy: this.#endedBy ?? (this.#foundIn < Infinity ? "found" : "all-run"),
      isComplete: isAll && isExhaustive && results.every(({ isComplete }) => isComplete),
      complaint: complaintOf(results, this.#division.tally.runs),
      audited: {
        determinism: sum(results.map(({ audited }) => audited.determinism)),
        commutation: sum(results.map(({ audited }) => audited.commutation)),
      },
      progress: this.#progress(),
    };
  }

  /** Lots that come after the first failure do not count: it is then the same for any crew. */
  get #lastWanted(): number {
    return this.#options.after === "first" ? this.#foundIn : Infinity;
  }

  #found(at: number): void {
    if (this.#options.after === "all") return;
    this.#foundIn = Math.min(this.#foundIn, at);
    const isDrawn = this.#division.jobs[at]?.kind === "draw";
    if (!isDrawn) this.#endedBy ??= "found";
    for (const [index, hand] of this.#hands.entries()) {
      if (!isDrawn || (this.#jobOf[index] ?? -1) > this.#foundIn) hand.stop();
    }
  }

  /** Whether the budget is spent. A few runs too many are made until everybody has heard of it. */
  #lookAround(): void {
    if (this.#endedBy !== null) return;
    const { budget } = this.#options;
    const runs = this.#tally(this.#inOrder(), this.#running.values()).runs;
    const isDrawn = this.#division.jobs[0]?.kind === "draw";
    this.#endedBy = !isDrawn && budget.isSpent(runs) ? "executions" : budget.endedBy();
    if (this.#endedBy !== null) for (const hand of this.#hands) hand.stop();
  }

  #inOrder(): readonly JobResult[] {
    const last = this.#lastWanted;
    const done = [...this.#results].filter(([at]) => at <= last);
    return done.sort(([one], [other]) => one - other).map(([, result]) => result);
  }

  #tally(results: readonly JobResult[], running: Iterable<TallyCounts> = []): Tally {
    const tally = new Tally();
    tally.addCounts(this.#division.tally.counts);
    for (const result of results) tally.addCounts(result.tally);
    for (const counts of running) tally.addCounts(counts);
    return tally;
  }

  #progress(): Progress {
    const { runs, steps, failingRuns } = this.#tally(this.#inOrder(), this.#running.values());
    const { elapsedMs } = this.#options.budget;
    const seconds = Math.max(elapsedMs, 1) / 1000;
    return {
      ...{ runs, steps, failingRuns, elapsedMs, states: null },
      runsPerSecond: runs / seconds,
      stepsPerSecond: steps / seconds,
      ...{ coverage: null, runsLeft: null, boundRunning: null },
      parts: { done: this.#results.size, total: this.#division.jobs.length },
    };
  }
}

/** The first, with its run counted among those of all parts. */
function complaintOf(results: readonly JobResult[], runsInDividing: number): Complaint | null {
  let runsBefore = runsInDividing;
  for (const { complaint, tally } of results) {
    if (complaint !== null) return { ...complaint, atRun: runsBefore + complaint.atRun };
    runsBefore += tally.runs;
  }
  return null;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
