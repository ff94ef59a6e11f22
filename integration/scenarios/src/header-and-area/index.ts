import { BioStatus } from "@blkstack/bio";
import { type CowIo, CowLayout, PersistentStore } from "@blkstack/dm-snapshot";
import type { Expectation, Scenario, World } from "@blkstack/explorer";
import type { Task } from "@blkstack/task";
import { scenarioOf, type Story } from "../story.ts";
import { type Entry, strangersIn } from "./areas.ts";
import { SlowCow } from "./slow-cow.ts";

/** Chunks of one sector, so that an area is full of few entries; so many are there from before. */
const LAYOUT = new CowLayout(1);
const ENTRIES_BEFORE = LAYOUT.entriesPerArea - 1;
const OLD_CHUNK = 100;

/** A snapshot is marked as invalid while entries are prepared and written. */
export const headerAndArea: Scenario = scenarioOf(
  "header-and-area",
  "a store writes its header, as invalid, while it prepares an area and begins the next one",
  {
    "own-buffers": marking((cow) => cow, "ok", "the header has a buffer of its own"),
    "one-buffer": marking(
      withOneBuffer,
      "CORRUPTION",
      "what is written lies in one buffer, and comes to the disk where something else belongs",
    ),
  },
);

function marking(wire: (cow: CowIo) => CowIo, expect: Expectation, summary: string): Story {
  return {
    expect,
    summary,
    strategy: "dpor",
    build(world) {
      const cow = new SlowCow(world.scheduler);
      const store = new PersistentStore({ io: wire(cow), chunkSectors: LAYOUT.chunkSectors });
      const entries: Entry[] = [];
      world.spawn("administrator", async (task) => {
        await store.load(task, () => undefined);
        await commit(store, entries, ENTRIES_BEFORE, task);
        startMarking(world, store, entries);
      });
      world.atEnd(() => {
        const strangers = strangersIn(cow, LAYOUT, entries);
        return strangers.map((message) => ({ kind: "CORRUPTION" as const, message }));
      });
    },
  };
}

function startMarking(world: World, store: PersistentStore, entries: Entry[]): void {
  // The first of them fills the area.
  world.spawn("copier", async (task) => {
    await commit(store, entries, 1, task);
    await commit(store, entries, 1, task);
  });
  world.spawn("invalidator", async (task) => {
    if ((await store.drop(task)) !== BioStatus.Ok) throw new Error("the store cannot be marked");
  });
}

async function commit(
  store: PersistentStore,
  entries: Entry[],
  count: number,
  task: Task,
): Promise<void> {
  const prepared = Array.from({ length: count }, () => {
    const entry = { oldChunk: OLD_CHUNK + entries.length, newChunk: store.prepare() };
    entries.push(entry);
    return entry;
  });
  for (const entry of prepared) {
    await store.commit({ ...entry, isCopied: true }, { onCommitted: () => undefined }, task);
  }
}

/** A store that has memory for one write only, whatever it is that it writes. */
function withOneBuffer(cow: CowIo): CowIo {
  const buffer = new Uint8Array(LAYOUT.chunkBytes);
  return {
    sizeSectors: cow.sizeSectors,
    read: (sector, into, task) => cow.read(sector, into, task),
    write(sector, from, flags, task) {
      buffer.set(from);
      return cow.write(sector, buffer, flags, task);
    },
  };
}
