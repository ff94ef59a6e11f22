import type { ChoicePathState } from "./choice-path.ts";

/** Thrown when saved data is not what it is taken for. */
export class SavedStateError extends Error {
  override readonly name = "SavedStateError";
}

/** What is under `key` of saved data. */
export function fieldIn(state: unknown, key: string): unknown {
  if (typeof state === "object" && state !== null && key in state) {
    return (state as Readonly<Record<string, unknown>>)[key];
  }
  throw new SavedStateError(`no "${key}"`);
}

export function numberIn(state: unknown, key: string): number {
  const value = fieldIn(state, key);
  if (typeof value === "number") return value;
  throw new SavedStateError(`"${key}" is no number`);
}

export function booleanIn(state: unknown, key: string): boolean {
  const value = fieldIn(state, key);
  if (typeof value === "boolean") return value;
  throw new SavedStateError(`"${key}" is neither true nor false`);
}

export function stringIn(state: unknown, key: string): string {
  const value = fieldIn(state, key);
  if (typeof value === "string") return value;
  throw new SavedStateError(`"${key}" is no text`);
}

export function listIn(state: unknown, key: string): readonly unknown[] {
  const value = fieldIn(state, key);
  if (Array.isArray(value)) return value as readonly unknown[];
  throw new SavedStateError(`"${key}" is no list`);
}

export function numbersIn(state: unknown, key: string): number[] {
  return listIn(state, key).map((value) => {
    if (typeof value === "number") return value;
    throw new SavedStateError(`"${key}" has something that is no number`);
  });
}

/** `null`, or a number. */
export function numberOrNullIn(state: unknown, key: string): number | null {
  return fieldIn(state, key) === null ? null : numberIn(state, key);
}

/** The choices of a search that goes depth first. */
export function pathState(state: unknown): ChoicePathState {
  const taken = numbersIn(state, "taken");
  const counts = numbersIn(state, "counts");
  const isInRange = taken.every((choice, at) => choice >= 0 && choice < (counts[at] ?? 0));
  if (taken.length !== counts.length || !isInRange) {
    throw new SavedStateError("choices that there are not");
  }
  return { taken, counts, isFresh: booleanIn(state, "isFresh") };
}
