import { IoGroup, type IoGroupOptions, type Rcu } from "@blkstack/io-group";
import type { Slab } from "@blkstack/memory";
import { type Access, AccessMode } from "@blkstack/task";

/** What a group takes of the heap. */
export class GroupMemory {
  readonly label: string = "memory of a group";
}

/** A group whose memory is given back once, or the run says so. */
export class HeapGroup extends IoGroup {
  readonly putting: Access;
  readonly finding: Access;
  readonly #memory: GroupMemory;
  readonly #groups: Slab<GroupMemory>;
  readonly #rcu: Rcu;

  constructor(options: IoGroupOptions, memory: GroupMemory, groups: Slab<GroupMemory>) {
    super(options);
    this.#memory = memory;
    this.#groups = groups;
    this.#rcu = options.rcu;
    const object = { label: `place of ${this.label}` };
    this.putting = { object, mode: AccessMode.Write, label: `part with ${this.label}` };
    this.finding = { object, mode: AccessMode.Read, label: `find ${this.label}` };
  }

  override put(): void {
    super.put();
    if (this.references > 0) return;
    this.#rcu.defer(() => {
      this.#groups.free(this.#memory);
    });
  }
}
