import { Bio, type BioList } from "@blkstack/bio";
import { Task } from "@blkstack/task";
import type { RunView, Vocabulary, Whereabouts } from "./vocabulary.ts";

/** Tells of bios: parked on a task, on somebody's list, in flight, or waiting for their pieces. */
export function bioVocabulary(): Vocabulary {
  return new BioVocabulary();
}

class BioVocabulary implements Vocabulary {
  readonly #seenAt = new Map<Bio, { place: string; step: number }>();

  name(thing: object): string | null {
    return thing instanceof Bio ? bioName(thing) : null;
  }

  whereabouts(thing: object, run: RunView): Whereabouts | null {
    if (!(thing instanceof Bio)) return null;
    return (
      inFlight(thing, run) ?? onList(thing, run) ?? waitsForPieces(thing, run) ?? inHands(thing)
    );
  }

  wanted(pool: object): string | null {
    if (!isReserve(pool)) return null;
    const { label, minNr, currNr } = pool;
    const what = label.startsWith("bio_set") ? "a bio" : "an element";
    return `${what} of ${label} (reserve ${String(minNr)}, ${String(currNr)} left, no memory)`;
  }

  fingerprint(run: RunView): string {
    let text = "";
    for (const [place, bios] of lists(run)) {
      // Not its serial: which element of a pool it is makes no difference.
      for (const bio of bios) if (bio instanceof Bio) text += `${place}:${bio.toString()},`;
    }
    return text;
  }

  lookAround(run: RunView, steps: number): readonly string[] {
    const moved: string[] = [];
    const see = (bio: unknown, place: string): void => {
      if (!(bio instanceof Bio) || this.#seenAt.get(bio)?.place === place) return;
      this.#seenAt.set(bio, { place, step: steps });
      moved.push(bioName(bio));
    };
    for (const [place, bios] of lists(run)) for (const bio of bios) see(bio, place);
    for (const { work, source } of run.scheduler.interrupts) see(work, source.label);
    return moved;
  }

  sinceStep(thing: object): number | undefined {
    return thing instanceof Bio ? this.#seenAt.get(thing)?.step : undefined;
  }
}

/** `bio#2 WRITE md0 [8..16)`. */
export function bioName(bio: Bio): string {
  return `bio#${String(bio.serial)} ${bio.toString()}`;
}

function inFlight(bio: Bio, run: RunView): Whereabouts | null {
  const interrupt = run.scheduler.interrupts.find(({ work }) => work === bio);
  if (interrupt === undefined) return null;
  return { text: `in flight at ${interrupt.source.label}`, next: [], isMoving: true };
}

function onList(bio: Bio, run: RunView): Whereabouts | null {
  for (const [place, bios, next] of lists(run)) {
    for (const listed of bios) {
      if (listed !== bio) continue;
      const waitsForReturn = run.places.every(({ things }) => things !== bios);
      return { text: place, next: next(), endsBy: "any", isMoving: false, waitsForReturn };
    }
  }
  return null;
}

function waitsForPieces(bio: Bio, run: RunView): Whereabouts | null {
  const pieces = [...piecesOf(bio, run)];
  if (pieces.length === 0) return null;
  const text = `waits for ${pieces.map((piece) => `bio#${String(piece.serial)}`).join(", ")}`;
  // It has ended when all of them have.
  return { text, next: pieces, endsBy: "all", isMoving: false };
}

/** Allocated and not submitted: pools that know say by whom. */
function inHands(bio: Bio): Whereabouts | null {
  if (!("allocatedBy" in bio) || !(bio.allocatedBy instanceof Task)) return null;
  const owner = bio.allocatedBy;
  return { text: `in the hands of ${owner.name}`, next: [owner], isMoving: false };
}

/** Found from below: whatever is queued or in flight names the bio that waits for it. */
function piecesOf(parent: Bio, run: RunView): Set<Bio> {
  const pieces = new Set<Bio>();
  const climb = (from: unknown): void => {
    if (!(from instanceof Bio)) return;
    for (let bio = from; bio.parent !== null; bio = bio.parent) {
      if (bio.parent === parent) pieces.add(bio);
    }
  };
  for (const { work } of run.scheduler.interrupts) climb(work);
  for (const [, bios] of lists(run)) for (const bio of bios) climb(bio);
  return pieces;
}

/** A pool with a reserve, as far as a story needs to know it. */
interface Reserve {
  readonly label: string;
  readonly minNr: number;
  readonly currNr: number;
}

function isReserve(pool: object): pool is Reserve {
  return "minNr" in pool && "currNr" in pool && "label" in pool && typeof pool.label === "string";
}

type Listing = [place: string, bios: Iterable<object>, next: () => readonly object[]];

function* lists(run: RunView): Iterable<Listing> {
  for (const task of run.scheduler.tasks) {
    const own = task.bioLists;
    if (own === null) continue;
    const next = (): readonly object[] => [task];
    const parked = (index: number, list: BioList): Listing => [
      `parked on ${task.name}'s own bio_list[${String(index)}]`,
      list,
      next,
    ];
    yield parked(0, own.current);
    yield parked(1, own.older);
  }
  for (const place of run.places) yield [`on the ${place.label}`, place.things, place.servedBy];
}
