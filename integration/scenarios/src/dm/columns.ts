import {
  loop,
  frontClone,
  type Offload,
  offloadBoth,
  offloadCurrent,
} from "@blkstack/device-mapper";
import type { SplitPolicy } from "@blkstack/device-mapper";
import type { SnapshotPolicies } from "@blkstack/dm-snapshot";
import { fifo, lowerFirst, type SubmitOrder } from "@blkstack/make-request";

/** How mapped devices and snapshots did things in one year or another. */
export interface Column {
  /** As a table of verdicts is headed. */
  readonly name: string;
  readonly splitPolicy: SplitPolicy;
  readonly offload: Offload | null;
  readonly submitOrder: SubmitOrder;
  readonly wait: SnapshotPolicies["wait"];
}

const OLD = { submitOrder: lowerFirst, wait: "under-lock" } as const;

/** By the name of the variant. */
export const COLUMNS = {
  "loop-none": { name: "loop/none", splitPolicy: loop, offload: null, ...OLD },
  "loop-list0": { name: "loop/list0", splitPolicy: loop, offload: offloadCurrent, ...OLD },
  "loop-both": { name: "loop/both", splitPolicy: loop, offload: offloadBoth, ...OLD },
  "front-clone": { name: "front-clone/none", splitPolicy: frontClone, offload: null, ...OLD },
  "front-clone-list0": {
    name: "front-clone/list0",
    splitPolicy: frontClone,
    offload: offloadCurrent,
    ...OLD,
  },
  "front-clone-fifo": {
    name: "front-clone, fifo",
    splitPolicy: frontClone,
    offload: null,
    wait: "under-lock",
    submitOrder: fifo,
  },
  "loop-unlocked": {
    name: "loop/none, unlocked",
    splitPolicy: loop,
    offload: null,
    submitOrder: lowerFirst,
    wait: "unlocked",
  },
} as const satisfies Readonly<Record<string, Column>>;

/** As it is done today. */
export const TODAY: Column = { ...COLUMNS["front-clone"], wait: "unlocked" };

export type ColumnName = keyof typeof COLUMNS;
