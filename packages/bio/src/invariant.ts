/** A promise of the code to itself was broken: never caught, always a defect of whoever called. */
export class InvariantError extends Error {
  override readonly name: string = "InvariantError";
}

/** Stops the program, or the explored run, when `condition` does not hold. */
export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}
