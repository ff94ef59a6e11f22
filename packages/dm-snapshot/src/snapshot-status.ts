import type { Snapshot } from "./snapshot.ts";

/** How a snapshot is doing, as `dmsetup status` shows it: `24/1024 16`, in sectors, or what is wrong. */
export function snapshotStatus(snapshot: Snapshot, hasMergeFailed = false): string {
  if (!snapshot.isValid) return "Invalid";
  if (hasMergeFailed) return "Merge failed";
  if (snapshot.isOverflowed) return "Overflow";
  const { store, cow } = snapshot;
  return store === null ? `0/${String(cow.sizeSectors)} 0` : store.statusText();
}
