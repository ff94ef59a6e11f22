import { BioFlag } from "@blkstack/bio";
import type { Session } from "./session.ts";

const { Preflush, Fua } = BioFlag;

/** What people do with the devices while the power is still there. */
export interface Workload {
  readonly originSectors: number;
  readonly cowSectors: number;
  readonly chunkSectors: number;
  /** Chunks that the snapshot has of its own at first, in this order; null: there is none yet. */
  readonly ownChunks: readonly number[] | null;
  readonly target: "snapshot" | "snapshot-merge";
  /** Spawns whoever writes, once the devices are there. */
  start(session: Session): void;
}

function range(count: number, first = 0): number[] {
  return Array.from({ length: count }, (_, index) => first + index);
}

// No two users of a device write to the same sector: which of them comes last is nobody's promise.

/** Three writers of the origin, whose copies end in any order. */
const threeCopies: Workload = {
  originSectors: 5,
  cowSectors: 12,
  chunkSectors: 1,
  ownChunks: null,
  target: "snapshot",
  start(session) {
    for (const chunk of [1, 2, 3]) {
      session.writer(`writer-${String(chunk)}`, async ({ write }) => {
        await write("base", [chunk, 1], 100 + chunk);
      });
    }
  },
};

/** The store goes on into its next area while both devices are written. */
const nextArea: Workload = {
  originSectors: 40,
  cowSectors: 72,
  chunkSectors: 1,
  ownChunks: range(30),
  target: "snapshot",
  start(session) {
    session.writer("origin-user", async ({ write, flush }) => {
      await write("base", [31, 1], 101);
      await write("base", [5, 1], 102, Fua);
      await flush("base");
      await write("base", [33, 2], 103);
      await write("base", [36, 1], 105, Preflush | Fua);
    });
    session.writer("snapshot-user", async ({ write, flush }) => {
      await write("snap", [35, 1], 201);
      await flush("snap");
      await write("snap", [5, 1], 202);
      await write("snap", [33, 1], 203, Fua);
    });
    session.writer("hasty-user", async ({ write }) => {
      await write("snap", [1, 1], 301);
      await write("base", [2, 1], 302);
      await write("snap", [1, 1], 303);
      await write("base", [7, 1], 304);
    });
  },
};

/** Parts of chunks, and whole ones. */
const partialChunks: Workload = {
  originSectors: 12,
  cowSectors: 32,
  chunkSectors: 2,
  ownChunks: null,
  target: "snapshot",
  start(session) {
    session.writer("origin-user", async ({ write, flush }) => {
      await write("base", [3, 1], 101);
      await flush("base");
      await write("base", [4, 2], 102);
      await write("base", [3, 1], 104, Fua);
    });
    session.writer("snapshot-user", async ({ write, flush }) => {
      await write("snap", [2, 1], 201);
      await write("snap", [6, 2], 202);
      await flush("snap");
      await write("snap", [7, 1], 204, Preflush | Fua);
      await write("snap", [9, 1], 205);
    });
    session.writer("hasty-user", async ({ write }) => {
      await write("base", [10, 2], 301);
      await write("snap", [0, 1], 303);
      await write("base", [11, 1], 304);
    });
  },
};

/** Begins in the second area, goes on in the first one, and has runs of up to four chunks. */
const merge: Workload = {
  originSectors: 40,
  cowSectors: 72,
  chunkSectors: 1,
  ownChunks: [36, 28, 20, 32, 16]
    .flatMap((first) => range(4, first))
    .concat([26, 24, 14, 12, 9, 8, 7, 6, 5, 4, 3], [0, 1, 10]),
  target: "snapshot-merge",
  start(session) {
    session.writer("merge-user", async ({ write, flush }) => {
      await write("snap", [10, 1], 201);
      await write("snap", [8, 1], 202);
      await flush("snap");
      await write("snap", [1, 1], 203, Fua);
      await write("snap", [12, 1], 204);
    });
  },
};

/** The second write of the origin finds no room. */
const overflow: Workload = {
  originSectors: 6,
  cowSectors: 4,
  chunkSectors: 1,
  ownChunks: null,
  target: "snapshot",
  start(session) {
    session.writer("origin-user", async ({ write, flush }) => {
      await write("base", [1, 1], 101);
      await write("snap", [2, 1], 201, Fua);
      session.mayBeInvalid = true;
      await write("base", [3, 1], 102);
      await flush("base");
      await write("base", [4, 1], 103);
    });
    session.writer("hasty-user", async ({ write }) => {
      await write("snap", [1, 1], 301);
      await write("base", [2, 1], 302);
      await write("snap", [1, 1], 303);
    });
  },
};

export const WORKLOADS = {
  "three-copies": threeCopies,
  "next-area": nextArea,
  "partial-chunks": partialChunks,
  merge,
  overflow,
} as const satisfies Readonly<Record<string, Workload>>;
