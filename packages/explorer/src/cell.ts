import type { Access, AccessMode, EndsBy, Waitable } from "@blkstack/task";

/**
 * A number that tasks share, for models and small tests: a lock is one of value 0 or 1, a pool one
 * that counts its elements. Touch it in steps only, with `use`.
 *
 * A search that merges equal states takes a cell's value for all there is to know of it: a `Read`
 * tells the task the value, a use in any other mode must tell it nothing.
 */
export class Cell implements Waitable {
  readonly label: string;
  value: number;
  /** Who could end a wait for this cell, if the scenario keeps account: then of all of them. */
  readonly holders: object[] = [];
  readonly #uses: { readonly mode: AccessMode; readonly verb: string; readonly access: Access }[] =
    [];

  constructor(label: string, value = 0) {
    this.label = label;
    this.value = value;
  }

  get endsBy(): EndsBy | undefined {
    return this.holders.length === 0 ? undefined : "any";
  }

  blockers(): readonly object[] {
    return this.holders;
  }

  /** The access to announce, the same each time: `use(AccessMode.Acquire, "lock")`. */
  use(mode: AccessMode, verb: string): Access {
    for (const use of this.#uses) if (use.mode === mode && use.verb === verb) return use.access;
    const access = { object: this, mode, label: `${verb} ${this.label}` };
    this.#uses.push({ mode, verb, access });
    return access;
  }
}
