const BITS = 32;

/** A set of the steps of one run, as bits. */
export function hasStep(set: readonly number[], step: number): boolean {
  return (((set[step >> 5] ?? 0) >>> (step % BITS)) & 1) === 1;
}

export function addStep(set: number[], step: number): void {
  growTo(set, step >> 5);
  set[step >> 5] = (set[step >> 5] ?? 0) | (1 << (step % BITS));
}

export function addSteps(set: number[], others: readonly number[]): void {
  growTo(set, others.length - 1);
  for (const [word, bits] of others.entries()) set[word] = (set[word] ?? 0) | bits;
}

function growTo(set: number[], word: number): void {
  while (set.length <= word) set.push(0);
}
