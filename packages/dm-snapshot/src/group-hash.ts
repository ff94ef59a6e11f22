const WORD_VALUES = 2 ** 32;

/** Where a slot's hash lets it begin to be looked for. */
export function homeOf(hash: number, buckets: number): number {
  // The top bits chose the shard, so they must be mixed with the others before they count again.
  return (((Math.imul(hash, 0x9e3779b1) >>> 0) * buckets) / WORD_VALUES) >>> 0;
}

/** The hash of a group, 32 bits with a sign: every bit of it depends on every bit of the group. */
export function hashOfGroup(group: number): number {
  let hash = group >>> 0;
  if (group >= WORD_VALUES) hash ^= Math.imul((group / WORD_VALUES) | 0, 0x27d4eb2f);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
