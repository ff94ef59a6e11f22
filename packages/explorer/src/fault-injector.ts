import { BioStatus, statusName } from "@blkstack/bio";
import type { FaultSource } from "@blkstack/task";
import type { FaultBudget } from "./conditions.ts";

/** Who makes the choices of a run. */
interface Chooser {
  /** Whether a choice is one of the search: neither while building nor while a stall is looked for. */
  readonly isChoosing: boolean;
  choose(what: string, count: number, words?: readonly string[]): number;
}

/** Has things fail in one run, each a choice, until the budget is spent. */
export class FaultInjector implements FaultSource {
  readonly #chooser: Chooser;
  readonly #statuses: readonly BioStatus[];
  #allocLeft: number;
  #ioLeft: number;

  constructor(chooser: Chooser, budget: Required<FaultBudget>) {
    this.#chooser = chooser;
    this.#statuses = budget.ioStatuses;
    this.#allocLeft = budget.allocFail;
    this.#ioLeft = budget.ioError;
  }

  /** What is left to go wrong: runs with different budgets left are in different states. */
  get stateText(): string {
    return `${String(this.#allocLeft)},${String(this.#ioLeft)};`;
  }

  allocFails(site: string): boolean {
    if (this.#allocLeft === 0 || !this.#chooser.isChoosing) return false;
    const what = `allocation of ${site}`;
    if (this.#chooser.choose(what, 2, ["", `${what} fails`]) === 0) return false;
    this.#allocLeft -= 1;
    return true;
  }

  ioStatus(io: string): BioStatus {
    if (this.#ioLeft === 0 || !this.#chooser.isChoosing) return BioStatus.Ok;
    const words = ["", ...this.#statuses.map((status) => `${io} fails with ${statusName(status)}`)];
    const outcome = this.#chooser.choose(`end of ${io}`, words.length, words);
    if (outcome === 0) return BioStatus.Ok;
    this.#ioLeft -= 1;
    return this.#statuses[outcome - 1] ?? BioStatus.IoError;
  }
}
