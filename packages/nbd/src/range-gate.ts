import type { Bytes } from "@blkstack/bio";
import type { Awaitable, Task, Waitable } from "@blkstack/task";

/** A range of an export that is being changed. Linked by the gate, so that entering makes no garbage. */
export interface RangeHold {
  readonly beginBytes: Bytes;
  readonly endBytes: Bytes;
  /** Reads before it writes, and so bears no other change of its range meanwhile. */
  readonly isExclusive: boolean;
  previousHold: RangeHold | null;
  nextHold: RangeHold | null;
}

interface Turn {
  readonly hold: RangeHold;
  readonly task: Task;
  isIn: boolean;
}

/**
 * Keeps a write that reads around itself apart from all other writes of the same blocks. Writes
 * of whole blocks may overlap one another, as on any disk, and pass without waiting while nobody
 * is exclusive.
 */
export class RangeGate implements Waitable {
  readonly label: string;
  #first: RangeHold | null = null;
  /** Exclusive ranges inside or waiting. */
  #exclusiveCount = 0;
  readonly #line: Turn[] = [];

  constructor(label: string) {
    this.label = label;
  }

  blockers(): readonly object[] {
    const holds: object[] = [];
    for (let hold = this.#first; hold !== null; hold = hold.nextHold) holds.push(hold);
    return holds;
  }

  /** Enters if nobody is in the way. Waits: never. */
  tryEnter(hold: RangeHold): boolean {
    if (
      (this.#exclusiveCount > 0 || hold.isExclusive) &&
      this.#isBlocked(hold, this.#line.length)
    ) {
      return false;
    }
    if (hold.isExclusive) this.#exclusiveCount += 1;
    this.#link(hold);
    return true;
  }

  /** Waits: until those in the way have left; whoever came first goes first. */
  enter(hold: RangeHold, task: Task): Awaitable<void> {
    if (!this.tryEnter(hold)) return this.#enterInTurn(hold, task);
  }

  /** Waits: never. */
  leave(hold: RangeHold): void {
    const { previousHold, nextHold } = hold;
    if (previousHold === null) this.#first = nextHold;
    else previousHold.nextHold = nextHold;
    if (nextHold !== null) nextHold.previousHold = previousHold;
    hold.previousHold = null;
    hold.nextHold = null;
    if (hold.isExclusive) this.#exclusiveCount -= 1;
    if (this.#line.length > 0) this.#admit();
  }

  async #enterInTurn(hold: RangeHold, task: Task): Promise<void> {
    const turn: Turn = { hold, task, isIn: false };
    this.#line.push(turn);
    if (hold.isExclusive) this.#exclusiveCount += 1;
    while (!turn.isIn) await task.scheduler.sleep(task, this);
  }

  /** Lets in, first come first, whom nobody inside or earlier in the line stands in the way of. */
  #admit(): void {
    for (let index = 0; index < this.#line.length;) {
      const turn = this.#line[index];
      if (turn === undefined || this.#isBlocked(turn.hold, index)) {
        index += 1;
        continue;
      }
      this.#line.splice(index, 1);
      this.#link(turn.hold);
      turn.isIn = true;
      turn.task.scheduler.wake(turn.task);
    }
  }

  /** By those inside, or by the first `lineLength` who wait. */
  #isBlocked(hold: RangeHold, lineLength: number): boolean {
    for (let other = this.#first; other !== null; other = other.nextHold) {
      if (conflict(hold, other)) return true;
    }
    for (let index = 0; index < lineLength; index += 1) {
      const turn = this.#line[index];
      if (turn !== undefined && conflict(hold, turn.hold)) return true;
    }
    return false;
  }

  #link(hold: RangeHold): void {
    hold.previousHold = null;
    hold.nextHold = this.#first;
    if (this.#first !== null) this.#first.previousHold = hold;
    this.#first = hold;
  }
}

function conflict(a: RangeHold, b: RangeHold): boolean {
  if (!a.isExclusive && !b.isExclusive) return false;
  return a.beginBytes < b.endBytes && b.beginBytes < a.endBytes;
}
