import type { Finding } from "../finding.ts";
import type { CrashState } from "./crash-state.ts";
import type { CutState, CutWatcher, FatalCut } from "./power-cuts.ts";

/** So much is kept of what was recovered; then it is recovered again. */
const SEEN_MAX = 200_000;
/** So many states, and images, are known apart; then they may be tried again, and count again. */
const STATES_MAX = 2_000_000;
/** Of what has landed and what has not, so many are told. */
const TOLD_MAX = 6;

/** What power cuts a search has tried. */
export interface CrashCounts {
  /** Distinct states of disks and promises after which the power was cut. */
  readonly states: number;
  /** Of these, those with too many images to try each. */
  readonly sampledStates: number;
  /** Pairs of a state and an image that can be left of it, each of which was judged. */
  readonly images: number;
  /** Distinct images; each was recovered once. */
  readonly distinctImages: number;
}

/** Where a replay line says that the power is cut. */
export interface CutPoint {
  readonly step: number;
  readonly digits: string;
}

/** Recovers and judges what power cuts leave, over all runs of a search. */
export class CrashLedger {
  readonly #survived = new Set<number>();
  /** By the key of an image. */
  readonly #seen = new Map<number, unknown>();
  readonly #known = new Set<number>();
  #distinct = 0;
  #states = 0;
  #sampledStates = 0;
  #images = 0;

  /** Null: nobody has asked for power cuts. */
  get counts(): CrashCounts | null {
    if (this.#states === 0) return null;
    return {
      states: this.#states,
      sampledStates: this.#sampledStates,
      images: this.#images,
      distinctImages: this.#distinct,
    };
  }

  /** Whether everything that a cut in this state can leave is known to be well. */
  isSurvived(key: number): boolean {
    return this.#survived.has(key);
  }

  /** The first cut of a run that is not survived; `first` is tried before all others. */
  async judge(watcher: CutWatcher, first: CutPoint | null = null): Promise<FatalCut | null> {
    if (first !== null) {
      const fatal = await this.#tryFirst(watcher, first);
      if (fatal !== null) return fatal;
    }
    for (const cut of watcher.states) {
      const fatal = await this.#tryState(watcher, cut);
      if (fatal !== null) return fatal;
    }
    return null;
  }

  async #tryFirst(watcher: CutWatcher, { step, digits }: CutPoint): Promise<FatalCut | null> {
    const chosen = Uint8Array.from(digits, (digit) => parseInt(digit, 36));
    for (const cut of watcher.states) {
      if (cut.step !== step || !cut.state.allows([...chosen])) continue;
      const finding = await this.#tryImage(watcher, cut, cut.state.choiceOf(chosen));
      if (finding !== null) return fatalCut(cut, chosen, finding);
    }
    return null;
  }

  async #tryState(watcher: CutWatcher, cut: CutState): Promise<FatalCut | null> {
    const { limits } = watcher;
    // Two moments of one run may be equal.
    if (this.#survived.has(cut.key)) return null;
    this.#states += 1;
    if (!cut.state.isComplete(limits)) this.#sampledStates += 1;
    for (const choice of cut.state.images(limits)) {
      this.#images += 1;
      const judged = this.#tryImage(watcher, cut, choice);
      const finding = judged instanceof Promise ? await judged : judged;
      if (finding !== null) return fatalCut(cut, choice.digits, finding);
    }
    if (this.#survived.size >= STATES_MAX) this.#survived.clear();
    this.#survived.add(cut.key);
    return null;
  }

  #tryImage(
    { plan }: CutWatcher,
    cut: CutState,
    { key, digits }: { readonly key: number; readonly digits: Uint8Array },
  ): Finding | null | Promise<Finding | null> {
    if (this.#seen.has(key)) return findingOf(plan.check(this.#seen.get(key), cut));
    return this.#recover(plan, cut, { key, digits: digits.slice() });
  }

  async #recover(
    plan: CutWatcher["plan"],
    cut: CutState,
    { key, digits }: { readonly key: number; readonly digits: Uint8Array },
  ): Promise<Finding | null> {
    const names = plan.disks.map(({ name }) => name);
    const seen = await plan.recover({
      sectorsOf: (disk) => cut.state.sectorsOf(names.indexOf(disk), digits),
    });
    this.#remember(key, seen);
    return findingOf(plan.check(seen, cut));
  }

  #remember(key: number, seen: unknown): void {
    if (this.#seen.size >= SEEN_MAX) this.#seen.clear();
    this.#seen.set(key, seen);
    if (this.#known.has(key)) return;
    this.#distinct += 1;
    // From there on an image may count twice, and be recovered again.
    if (this.#known.size >= STATES_MAX) this.#known.clear();
    this.#known.add(key);
  }
}

function findingOf(complaint: Finding | string | null): Finding | null {
  if (typeof complaint !== "string") return complaint;
  return { kind: "CORRUPTION", message: complaint };
}

function fatalCut(cut: CutState, digits: Uint8Array, finding: Finding): FatalCut {
  const { step, state, actor } = cut;
  const after = actor === null ? "before the first step" : `after step ${String(step)}`;
  return {
    step,
    digits: Array.from(digits, (digit) => digit.toString(36)).join(""),
    lines: [`the power is cut ${after}`, ...landedLines(state, digits)],
    finding,
  };
}

/** `landed: …` and `lost: …`, of those writes that may be either. */
function landedLines({ disks }: CrashState, digits: Uint8Array): string[] {
  const landed = new Map<string, number[]>();
  const lost = new Map<string, number[]>();
  let at = 0;
  for (const { loose } of disks) {
    for (const { sector, versions } of loose) {
      const chosen = digits[at] ?? 0;
      for (const [version, { write }] of versions.entries()) {
        if (write === null || version === 0) continue;
        const side = version <= chosen ? landed : lost;
        const sectors = side.get(write.label) ?? [];
        sectors.push(sector);
        side.set(write.label, sectors);
      }
      at += 1;
    }
  }
  return [told("landed", landed), told("lost", lost)].filter((line) => line !== "");
}

function told(word: string, writes: ReadonlyMap<string, readonly number[]>): string {
  if (writes.size === 0) return "";
  const texts = [...writes].map(([label, sectors]) => `${label} (${sectorsText(sectors)})`);
  const more = texts.length - TOLD_MAX;
  const shown = texts.slice(0, TOLD_MAX).join("; ");
  return more > 0 ? `${word}: ${shown}; and ${String(more)} more` : `${word}: ${shown}`;
}

function sectorsText(sectors: readonly number[]): string {
  const [first = 0] = sectors;
  const last = sectors.at(-1) ?? first;
  if (sectors.length === 1) return `sector ${String(first)}`;
  if (last - first + 1 === sectors.length) return `sectors ${String(first)} to ${String(last)}`;
  return `sectors ${sectors.map(String).join(" ")}`;
}
