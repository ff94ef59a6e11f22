import type { Extent } from "@blkstack/block";

/** One view of an export that a client may ask for, range by range. */
export interface MetaContext {
  /** What replies call it. */
  readonly id: number;
  readonly name: string;
  /** What it says of an extent. */
  readonly statusOf: (extent: Extent) => number;
}

/** All that there are. */
const META_CONTEXTS: readonly MetaContext[] = [
  // The protocol's bits for holes and zeroes are those of an extent.
  { id: 1, name: "base:allocation", statusOf: ({ flags }) => flags },
  { id: 2, name: "blkstack:layer", statusOf: ({ layer }) => layer },
];

/** What a client has chosen, for one export only. */
export interface MetaSelection {
  readonly exportName: string;
  readonly contexts: readonly MetaContext[];
}

export const NOTHING_SELECTED: MetaSelection = { exportName: "", contexts: [] };

/** Those that a list asks for: all, when it asks for nothing in particular; or all of a namespace. */
export function listed(queries: readonly string[]): MetaContext[] {
  if (queries.length === 0) return [...META_CONTEXTS];
  return META_CONTEXTS.filter(({ name }) => {
    const namespace = name.slice(0, name.indexOf(":") + 1);
    return queries.includes(name) || queries.includes(namespace);
  });
}

/** Those that are called by their whole names. */
export function selected(queries: readonly string[]): MetaContext[] {
  return META_CONTEXTS.filter(({ name }) => queries.includes(name));
}
