import type { Awaitable, Gfp, Task } from "@blkstack/task";

/** An account of pages; `Memory` is one. */
export interface PageAccount {
  /** False when there are none. Waits: if `gfp` allows, for whatever is reclaimed. */
  takePages(pages: number, gfp: Gfp, task: Task, label: string): Awaitable<boolean>;
  givePages(pages: number, task?: Task | null): void;
}

/** The pages that a change of a file takes, and with what. */
export interface PagePlan {
  readonly cachePages: number;
  readonly cacheGfp: Gfp;
  readonly otherPages: number;
  readonly otherGfp: Gfp;
}

/** The pages of one change, given back all together. */
export class PageLoan {
  readonly #account: PageAccount;
  readonly #task: Task;
  readonly #label: string;
  #taken = 0;

  constructor(account: PageAccount, task: Task, label: string) {
    this.#account = account;
    this.#task = task;
    this.#label = label;
  }

  /** Waits: for reclaim, as far as the masks and the scopes of the task allow. */
  async take(plan: PagePlan): Promise<boolean> {
    return (
      (await this.#takeSome(plan.cachePages, plan.cacheGfp)) &&
      (await this.#takeSome(plan.otherPages, plan.otherGfp))
    );
  }

  giveBack(): void {
    if (this.#taken > 0) this.#account.givePages(this.#taken, this.#task);
    this.#taken = 0;
  }

  async #takeSome(pages: number, gfp: Gfp): Promise<boolean> {
    if (pages === 0) return true;
    if (!(await this.#account.takePages(pages, gfp, this.#task, this.#label))) return false;
    this.#taken += pages;
    return true;
  }
}
