import type { Sectors } from "@blkstack/bio";
import type { StatusKind, TargetType } from "@blkstack/block";
import type { Task } from "@blkstack/task";
import type { FlushPolicy } from "./flush-policy.ts";
import type { TargetRegistry } from "./registry.ts";
import { checkContiguous, checkLength, checkLineCount, refusedLine } from "./table-checks.ts";
import type { TableError } from "./table-error.ts";
import { LineContext, type TableSurroundings } from "./target-context.ts";
import { TableTarget } from "./table-target.ts";
import type { TableLine } from "./table-text.ts";

/** A kind of target that keeps something with each bio. */
type DataKeeper = TargetType & Required<Pick<TargetType, "createPerBioData">>;

/** A table at work: its targets, in order and without gaps, and how to find them. */
export class Table {
  readonly entries: readonly TableTarget[];
  readonly sizeSectors: Sectors;
  /** In the order of what they keep. */
  readonly #dataKeepers: readonly DataKeeper[];
  readonly #ends: readonly Sectors[];
  readonly #only: TableTarget | null;
  readonly #flushes: FlushPolicy;
  /** How many clones an empty flush takes. */
  flushBios = 0;

  constructor(
    entries: readonly TableTarget[],
    dataKeepers: readonly DataKeeper[],
    flushes: FlushPolicy,
  ) {
    this.entries = entries;
    this.#dataKeepers = dataKeepers;
    this.#flushes = flushes;
    this.#ends = entries.map(({ end }) => end);
    this.#only = entries.length === 1 ? (entries[0] ?? null) : null;
    this.sizeSectors = this.#ends.at(-1) ?? 0;
    this.refresh();
  }

  /** The target whose range has this sector, or null behind the last. */
  find(sector: Sectors): TableTarget | null {
    const only = this.#only;
    if (only !== null) return sector < only.end ? only : null;
    return this.#search(sector);
  }

  #search(sector: Sectors): TableTarget | null {
    let [low, high] = [0, this.#ends.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sector < (this.#ends[middle] ?? 0)) high = middle;
      else low = middle + 1;
    }
    return this.entries[low] ?? null;
  }

  /** How many clones one bio may need at once, beside the one that its account comes with. */
  get mostClones(): number {
    return Math.max(0, ...this.entries.map((entry) => entry.mostClones));
  }

  /** Takes over what the targets say of themselves; they may have changed it while they resumed. */
  refresh(): void {
    this.flushBios = 0;
    const served = new Set<object | null>();
    for (const entry of this.entries) {
      entry.refresh();
      entry.flushCopies = this.#flushCopies(entry, served);
      this.flushBios += entry.flushCopies.length;
    }
  }

  /** Makes what all types together keep with one bio. */
  createPerBioData(): object[] {
    return this.#dataKeepers.map((type) => type.createPerBioData());
  }

  /** One line per target, as `dmsetup` prints it: a blank stays where a target has nothing to say. */
  status(kind: StatusKind): string[] {
    return this.entries.map(({ line, target }) => {
      const place = `${String(line.begin)} ${String(line.length)}`;
      return `${place} ${line.type} ${target.status(kind)}`;
    });
  }

  #flushCopies({ target, type, flushBios }: TableTarget, served: Set<object | null>): number[] {
    const purposes = this.#flushes.purposes(target, type);
    const copies: number[] = [];
    for (let copy = 0; copy < flushBios; copy += 1) {
      const purpose = purposes[copy] ?? null;
      if (purpose === null || !served.has(purpose)) copies.push(copy);
      served.add(purpose);
    }
    return copies;
  }

  /** Waits: as the targets do. */
  async destroy(task: Task): Promise<void> {
    for (const { target } of this.entries) await target.destroy?.(task);
  }
}

/**
 * Makes the targets of a table. When one is refused those before it are destroyed, in order.
 *
 * Waits: as the makers of the targets do. Throws a `TableError`.
 */
export async function buildTable(
  lines: readonly TableLine[],
  registry: TargetRegistry,
  surroundings: TableSurroundings,
  task: Task,
): Promise<Table> {
  checkLineCount(lines);
  const builder = new TableBuilder(registry, surroundings, task);
  try {
    for (const line of lines) await builder.add(line);
    return builder.finish();
  } catch (error) {
    await builder.undo();
    throw error;
  }
}

class TableBuilder {
  readonly #registry: TargetRegistry;
  readonly #surroundings: TableSurroundings;
  readonly #task: Task;
  readonly #entries: TableTarget[] = [];
  readonly #dataKeepers: DataKeeper[] = [];

  constructor(registry: TargetRegistry, surroundings: TableSurroundings, task: Task) {
    this.#registry = registry;
    this.#surroundings = surroundings;
    this.#task = task;
  }

  async add(line: TableLine): Promise<void> {
    const { deviceNumber } = this.#surroundings;
    const before = this.#entries.at(-1);
    if (before?.type.isSingleton === true) throw mustBeAlone(before.line, deviceNumber);
    checkLength(line, deviceNumber);
    const type = this.#registry.get(line.type);
    if (type === undefined) {
      throw refusedLine(line, deviceNumber, `${line.type}: unknown target type`);
    }
    if (type.isSingleton === true && before !== undefined) throw mustBeAlone(line, deviceNumber);
    checkContiguous(line, before?.line, deviceNumber);
    const dataIndex = this.#dataIndex(type);
    const context = new LineContext(line, dataIndex, this.#surroundings, this.#task);
    const target = await type.create(context);
    this.#entries.push(new TableTarget(line, type, target, context));
  }

  finish(): Table {
    const { flushes } = this.#surroundings;
    return new Table(this.#entries, this.#dataKeepers, flushes);
  }

  async undo(): Promise<void> {
    for (const { target } of this.#entries) await target.destroy?.(this.#task);
  }

  /** Which of what the table keeps with a bio is for targets of this type; -1: nothing. */
  #dataIndex(type: TargetType): number {
    if (!isDataKeeper(type)) return -1;
    const known = this.#dataKeepers.indexOf(type);
    return known < 0 ? this.#dataKeepers.push(type) - 1 : known;
  }
}

function isDataKeeper(type: TargetType): type is DataKeeper {
  return type.createPerBioData !== undefined;
}

function mustBeAlone(line: TableLine, deviceNumber: string): TableError {
  return refusedLine(line, deviceNumber, `${line.type}: must appear alone in table`);
}
