import type { Slab } from "@blkstack/memory";
import { IoGroup, type IoGroupOptions, type Rcu } from "@blkstack/io-group";
import type { GroupShare } from "./group-share.ts";

export interface CfqGroupOptions extends IoGroupOptions {
  readonly share: GroupShare;
  /** Where the share goes back to; null: it is part of the queue, and goes with it. */
  readonly shares: Slab<GroupShare> | null;
}

/**
 * The clients of one disk that share one weight, and what they have done. Each of its queues has a
 * reference, so that it outlives its removal until the last of its clients has gone.
 */
export class CfqGroup extends IoGroup {
  readonly share: GroupShare;
  readonly #shares: Slab<GroupShare> | null;
  readonly #rcu: Rcu;

  constructor(options: CfqGroupOptions) {
    super(options);
    this.share = options.share;
    this.#shares = options.shares;
    this.#rcu = options.rcu;
  }

  override put(): void {
    super.put();
    if (this.references > 0) return;
    this.share.assertIdle();
    // Behind the group itself: whoever still looks at that looks at this too.
    this.#rcu.defer(() => this.#shares?.free(this.share));
  }
}
