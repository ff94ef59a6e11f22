import { wordOf } from "./word-of.ts";

/** What is taken away from a scenario before it is run, so that what matters is easier to see. */
export interface Input {
  /** The tasks of the scenario that are not spawned, as words of a replay line. */
  readonly without: readonly string[];
  /** What `World.amount` answers instead of the usual, by the word for its name. */
  readonly amounts: Readonly<Record<string, number>>;
}

/** A scenario as it is. */
export const WHOLE: Input = { without: [], amounts: {} };

export function isWhole({ without, amounts }: Input): boolean {
  return without.length === 0 && Object.keys(amounts).length === 0;
}

/** An amount that a scenario asked for in a run. */
export interface Amount {
  readonly name: string;
  readonly usual: number;
  readonly least: number;
  readonly given: number;
}

/** The amount to give, within what the scenario allows. */
export function amountOf({ amounts }: Input, name: string, usual: number, least: number): Amount {
  const wanted = amounts[wordOf({ name })] ?? usual;
  return { name, usual, least, given: Math.max(Math.min(wanted, usual), Math.min(least, usual)) };
}

/** `submitter-2, fio; rounds 1 instead of 3`; empty when nothing was taken away. */
export function takenAway({ without }: Input, amounts: readonly Amount[]): string {
  const smaller = amounts
    .filter(({ given, usual }) => given < usual)
    .map(({ name, given, usual }) => `${name} ${String(given)} instead of ${String(usual)}`);
  return [without.join(", "), ...smaller].filter((text) => text !== "").join("; ");
}
