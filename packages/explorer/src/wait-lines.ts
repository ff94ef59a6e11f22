import { ExploredTask } from "./actor.ts";
import { HUNG_TASK_MS } from "./hung-tasks.ts";
import type { WaitSites } from "./wait-sites.ts";
import { shortName, type WaitForGraph, type WaitNode } from "./wait-for-graph.ts";

/** Between the longest line and the column that says since when. */
const GAP = "   ";

/** Who waits for whom, from each task that is stuck, everything once, and where in the code. */
export function waitLines(graph: WaitForGraph, sites: WaitSites = {}): readonly string[] {
  const account = new Account(sites);
  for (const task of graph.stuckTasks) account.tellTask(task);
  const knot = graph.knot();
  const end =
    knot === null
      ? nobodyEnds(graph)
      : `knot: ${knot.map(({ name }) => shortName(name)).join(" -> ")}`;
  return [...account.lines(), `  ${end}`, ...retryLines(graph)];
}

/** Who sleeps, and who could end that, where it is not said that nobody will. */
export function sleepLines(graph: WaitForGraph, sites: WaitSites = {}): readonly string[] {
  const account = new Account(sites);
  for (const task of graph.sleepingTasks) account.tellTask(task);
  return account.lines();
}

function nobodyEnds({ stuckTasks }: WaitForGraph): string {
  const ends = stuckTasks.flatMap(({ next }) => next).filter(({ next }) => next.length === 0);
  const names = [...new Set(ends.map(({ name }) => name))].join(", ");
  return names === ""
    ? "nobody is known who could end this"
    : `nobody who can run ever ends ${names}`;
}

/** A sleeper that asks again now and then looks alive to whoever only looks for timers. */
function retryLines({ stuckTasks }: WaitForGraph): string[] {
  return stuckTasks.flatMap(({ thing }) => {
    if (!(thing instanceof ExploredTask) || thing.timeout === null || thing.asksAgainMs === 0) {
      return [];
    }
    const everyS = thing.asksAgainMs / 1000;
    const warnedS = (thing.waitsSinceMs + HUNG_TASK_MS) / 1000;
    return [
      `  hidden by a retry timer: ${thing.name} asks again every ${String(everyS)} s, in vain; ` +
        `a kernel would call it hung at ${String(warnedS)} s`,
    ];
  });
}

interface Line {
  readonly text: string;
  readonly sinceStep: number | undefined;
}

/** The lines so far, and who was told of in them. */
class Account {
  readonly #lines: Line[] = [];
  readonly #told = new Set<WaitNode>();
  readonly #sites: WaitSites;

  constructor(sites: WaitSites) {
    this.#sites = sites;
  }

  tellTask(task: WaitNode): void {
    this.#add(`  ${task.name} ${task.state}`, task);
    const frames = this.#sites[task.name] ?? [];
    if (frames.length > 0) this.#add(siteLine("    ", frames));
    for (const next of task.next) this.#tellHolders(next, "    ");
  }

  /** All that say since when say it in one column. */
  lines(): string[] {
    const dated = this.#lines.filter(({ sinceStep }) => sinceStep !== undefined);
    const width = Math.max(0, ...dated.map(({ text }) => text.length));
    return this.#lines.map(({ text, sinceStep }) =>
      sinceStep === undefined ? text : `${text.padEnd(width)}${GAP}since step ${String(sinceStep)}`,
    );
  }

  #add(text: string, node?: WaitNode): void {
    if (node !== undefined) this.#told.add(node);
    this.#lines.push({ text, sinceStep: node?.sinceStep });
  }

  #tellHolders(node: WaitNode, indent: string): void {
    if (this.#told.has(node)) return;
    this.#told.add(node);
    if (node.next.length === 0 && node.state === "") this.#add(`${indent}which nobody holds`);
    for (const holder of node.next) {
      if (this.#told.has(holder)) this.#add(`${indent}held by ${shortName(holder.name)}`);
      else this.#tellHolder(holder, indent);
    }
  }

  #tellHolder(holder: WaitNode, indent: string): void {
    this.#add(`${indent}held by ${described(holder)}`, holder);
    for (const next of holder.next) {
      if (holder.waitsForReturn) this.#tellReturn(next, indent);
      // A task has said already what it waits for; anything else is named first.
      if (holder.thing instanceof ExploredTask) this.#tellHolders(next, `${indent}  `);
      else if (!this.#told.has(next)) this.#tellOnward(next, `${indent}  `);
    }
  }

  /** Behind a holder that is itself somewhere: the task or thing that it depends on. */
  #tellOnward(node: WaitNode, indent: string): void {
    this.#add(`${indent}${described(node)}`, node);
    for (const next of node.next) this.#tellHolders(next, `${indent}  `);
  }

  #tellReturn(task: WaitNode, indent: string): void {
    const verb = task.isAllocating ? "allocates" : "waits";
    const whose = this.#told.has(task) ? `that ${verb} above` : `of ${task.name}`;
    this.#add(`${indent}who will be submitted only when the driver call ${whose} returns`);
  }
}

/** `at Mempool.alloc (src/mempool.ts:88), from Splitter.map (src/splitter.ts:33)`. */
export function siteLine(indent: string, frames: readonly string[]): string {
  return `${indent}at ${frames.join(", from ")}`;
}

function described({ name, state, thing }: WaitNode): string {
  if (state === "") return name;
  return thing instanceof ExploredTask ? `${name}, who ${state}` : `${name}, ${state}`;
}
