/** What was measured in a step, there and here. */
export interface Figure {
  readonly what: string;
  readonly recorded: string;
  readonly here: string;
}

/** Collects what came of one case. */
export class Comparison {
  compared = 0;
  readonly differences: string[] = [];
  readonly notReplayed: string[] = [];
  /** Measurements in both versions. */
  readonly figures: Figure[] = [];
  #place = "";
  #uncertainSince: string | null = null;

  /** Says which step what follows is about. */
  at(place: string): void {
    this.#place = place;
  }

  /** A step cannot be replayed, or a part of it cannot be compared. */
  skip(reason: string): void {
    this.notReplayed.push(`${this.#place}: ${reason}`);
  }

  /** For people to compare; `equal` decides. */
  figure(what: string, recorded: string, here: string): void {
    this.figures.push({ what, recorded, here });
  }

  /** From here to the next boot the machine may be another one than the recorded. */
  becomeUncertain(): void {
    this.#uncertainSince ??= this.#place;
  }

  becomeCertain(): void {
    this.#uncertainSince = null;
  }

  get isUncertain(): boolean {
    return this.#uncertainSince !== null;
  }

  /** Counts one recorded result; a difference is told in both versions. */
  equal(what: string, recorded: unknown, here: unknown): boolean {
    const [left, right] = [JSON.stringify(recorded), JSON.stringify(here)];
    if (left !== right && this.#uncertainSince !== null) {
      this.skip(
        `${what} cannot be compared: it follows a step that cannot be replayed, ${this.#uncertainSince}`,
      );
      return false;
    }
    this.compared += 1;
    if (left === right) return true;
    this.differences.push(`${this.#place}: ${what}: recorded ${left}, here ${right}`);
    return false;
  }
}
