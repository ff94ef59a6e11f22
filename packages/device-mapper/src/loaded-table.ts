import type { BlockDevice, QueueLimits } from "@blkstack/block";
import type { Table } from "./table.ts";

/** A table together with what was opened for it. */
export interface LoadedTable {
  readonly table: Table;
  readonly isReadOnly: boolean;
  /** The devices below, each once; open as long as the table is there. */
  readonly devices: readonly BlockDevice[];
  /** Null: not checked against the devices yet. */
  limits: QueueLimits | null;
}
