import fc from "fast-check";

/** The origin that histories are about. */
export const ORIGIN_SECTORS = 32;

export interface SnapshotPlan {
  readonly chunk: 1 | 2 | 4 | 8;
  readonly store: "P" | "PO" | "N";
  /** Whether its store can take all of the origin. */
  readonly isRoomy: boolean;
  /** How many of the two features for discards it has. */
  readonly features: 0 | 1 | 2;
}

/** `on`: 0 is the origin, 1 the first snapshot. */
export interface BioPlan {
  readonly kind: "write" | "read" | "discard" | "flush";
  readonly on: number;
  readonly sector: number;
  readonly sectors: number;
}

export interface CommandPlan {
  readonly kind: "create" | "suspend" | "reload" | "reopen" | "remove" | "merge";
  readonly on: number;
  /** How many steps it takes its time in the middle. */
  readonly pause: number;
}

/** What is done at the same time: bios of several tasks, and the commands of one more. */
export interface History {
  readonly seed: number;
  /** Whether the code under test takes its careful ways, as where schedules are explored. */
  readonly isExploring: boolean;
  /** What bios find: memory, memory for those who may wait for it, or only what was reserved. */
  readonly memory: "enough" | "for-waiters" | "none";
  readonly snapshots: readonly SnapshotPlan[];
  readonly tasks: readonly (readonly BioPlan[])[];
  readonly commands: readonly CommandPlan[];
}

const snapshotPlan = fc.record<SnapshotPlan>({
  chunk: fc.constantFrom(8, 4, 2, 1),
  store: fc.constantFrom("P", "P", "PO", "N"),
  isRoomy: fc.constantFrom(true, true, false),
  features: fc.constantFrom(0, 1, 2),
});

/** Often a whole chunk of somebody, often less, sometimes several. */
const range = fc
  .record({
    chunk: fc.constantFrom(1, 2, 4, 8),
    at: fc.nat({ max: ORIGIN_SECTORS - 1 }),
    extra: fc.constantFrom(0, 0, 0, 1, 5),
    skip: fc.constantFrom(0, 0, 0, 1),
  })
  .map(({ chunk, at, extra, skip }) => {
    const sector = Math.floor(at / chunk) * chunk + (chunk > 1 ? skip : 0);
    return { sector, sectors: Math.min(chunk + extra, ORIGIN_SECTORS - sector) };
  });

const bioPlan = fc
  .tuple(
    fc.constantFrom<BioPlan["kind"][]>(
      "write",
      "write",
      "write",
      "read",
      "read",
      "discard",
      "flush",
    ),
    fc.constantFrom(0, 0, 1, 2, 3),
    range,
  )
  .map(([kind, on, { sector, sectors }]): BioPlan => ({ kind, on, sector, sectors }));

const MEMORY = ["enough", "for-waiters"] as const;

/** Histories with these kinds of commands only. */
export function histories(kinds: readonly CommandPlan["kind"][]): fc.Arbitrary<History> {
  return fc.record<History>({
    seed: fc.nat(),
    isExploring: fc.constantFrom(true, true, false),
    // Whoever makes devices needs memory.
    memory: kinds.length === 0 ? fc.constantFrom(...MEMORY, "none") : fc.constantFrom(...MEMORY),
    snapshots: fc.array(snapshotPlan, { minLength: 1, maxLength: 3 }),
    tasks: fc.array(fc.array(bioPlan, { minLength: 1, maxLength: 6 }), {
      minLength: 1,
      maxLength: 4,
    }),
    commands: kinds.length === 0 ? fc.constant([]) : commandsOf(kinds),
  });
}

function commandsOf(kinds: readonly CommandPlan["kind"][]): fc.Arbitrary<CommandPlan[]> {
  const command = fc.record<CommandPlan>({
    kind: fc.constantFrom(...kinds),
    on: fc.constantFrom(0, 1, 2, 3),
    pause: fc.nat({ max: 40 }),
  });
  return fc.array(command, { maxLength: 4 });
}
