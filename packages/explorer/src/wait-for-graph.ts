import type { EndsBy, Waitable } from "@blkstack/task";
import { ExploredTask, PendingInterrupt, TaskState } from "./actor.ts";
import type { RunView, Vocabulary } from "./vocabulary.ts";

/** One thing that waits, or that something waits for. */
export interface WaitNode {
  readonly thing: object;
  readonly name: string;
  /** What it waits for or where it is, in words. */
  readonly state: string;
  readonly sinceStep: number | undefined;
  /** Goes on only when the driver call that the next one is in returns. */
  readonly waitsForReturn: boolean;
  /** Waits for an element of a pool. */
  readonly isAllocating: boolean;
  readonly next: readonly WaitNode[];
  /** How many of `next` must move on; undefined: that, or somebody who is not known. */
  readonly endsBy: EndsBy | undefined;
  /** Can move on, now or once something else does that can. */
  isLive: boolean;
}

/**
 * Who waits for whom: from the tasks that sleep, as far as anybody can tell. While somebody can
 * still take a step, a wait that a stranger could end is not hopeless; when nobody can, it is.
 */
export class WaitForGraph {
  readonly stuckTasks: readonly WaitNode[];
  readonly #run: RunView;
  readonly #vocabularies: readonly Vocabulary[];
  readonly #nodes = new Map<object, WaitNode>();
  /** Who waits for a node. */
  readonly #waiters = new Map<WaitNode, WaitNode[]>();

  constructor(run: RunView, vocabularies: readonly Vocabulary[]) {
    this.#run = run;
    this.#vocabularies = vocabularies;
    for (const task of run.scheduler.tasks) if (isStuck(task)) this.#node(task);
    this.#spreadLife();
    this.stuckTasks = run.scheduler.tasks
      .filter(isStuck)
      .map((task) => this.#node(task))
      .filter((node) => !node.isLive);
  }

  /** Those who sleep until somebody wakes them, whether or not somebody may. */
  get sleepingTasks(): readonly WaitNode[] {
    const sleeps = (task: ExploredTask): boolean => task.waitingFor !== null && !task.hasTimeout;
    const { tasks } = this.#run.scheduler;
    return tasks.filter((task) => isStuck(task) && sleeps(task)).map((task) => this.#node(task));
  }

  get nodes(): Iterable<WaitNode> {
    return this.#nodes.values();
  }

  /**
   * A way through the graph that comes back to where it began, over nodes that cannot move; null
   * when the waits end at somebody unknown.
   */
  knot(): readonly WaitNode[] | null {
    for (const task of this.stuckTasks) {
      const path: WaitNode[] = [];
      const found = closeCircle(task, path, new Set());
      if (found !== null) return fromTask(found);
    }
    return null;
  }

  #node(thing: object): WaitNode {
    const known = this.#nodes.get(thing);
    if (known !== undefined) return known;
    const next: WaitNode[] = [];
    const described = this.#describe(thing);
    const { blockers, name, state, sinceStep, endsBy, isLive } = described;
    const { waitsForReturn = false, isAllocating = false } = described;
    // Field by field, for spreading is slow, and each run that is stuck comes here.
    const node: WaitNode = {
      thing,
      name,
      state,
      sinceStep,
      waitsForReturn,
      isAllocating,
      next,
      endsBy,
      isLive,
    };
    this.#nodes.set(thing, node);
    for (const blocker of blockers) {
      const found = this.#node(blocker);
      next.push(found);
      const waiters = this.#waiters.get(found);
      if (waiters === undefined) this.#waiters.set(found, [node]);
      else waiters.push(node);
    }
    return node;
  }

  #describe(thing: object): Description {
    if (thing instanceof ExploredTask) return this.#describeTask(thing);
    if (thing instanceof PendingInterrupt) {
      return { name: thing.name, state: "pending", blockers: [], isLive: true };
    }
    for (const vocabulary of this.#vocabularies) {
      const name = vocabulary.name(thing);
      if (name === null) continue;
      const found = vocabulary.whereabouts(thing, this.#run);
      return {
        name,
        state: found?.text ?? "nowhere to be found",
        sinceStep: vocabulary.sinceStep?.(thing),
        blockers: found?.next ?? [],
        endsBy: found?.endsBy,
        isLive: found?.isMoving === true || this.#mayBeHelped(found?.endsBy),
        waitsForReturn: found?.waitsForReturn === true,
      };
    }
    if (!isWaitable(thing)) {
      return { name: "something", state: "", blockers: [], isLive: this.#mayBeHelped() };
    }
    const { label: name, endsBy } = thing;
    const isLive = this.#mayBeHelped(endsBy);
    return { name, state: "", blockers: thing.blockers(), endsBy, isLive };
  }

  #describeTask(task: ExploredTask): Description {
    const { name, waitsSinceStep: sinceStep } = task;
    if (task.state === TaskState.Done) {
      return { name, state: "has ended", blockers: [], isLive: false };
    }
    if (task.state === TaskState.Sleeping && task.waitingFor !== null) {
      const on = task.waitingFor;
      const wanted = this.#wanted(task, on);
      const state = `waits for ${wanted ?? on.label}`;
      const isAllocating = wanted !== null;
      const isLive = task.hasTimeout;
      return { name, state, sinceStep, blockers: [on], endsBy: "any", isLive, isAllocating };
    }
    const isBlocked = task.guard?.() === false;
    const { object, label } = task.access;
    const state = isBlocked ? `cannot ${label}` : "can run";
    const blockers = isBlocked ? [object] : [];
    return { name, state, sinceStep, blockers, endsBy: "any", isLive: !isBlocked };
  }

  /** Whether somebody who is not known could end a wait that is told of so. */
  #mayBeHelped(endsBy?: EndsBy): boolean {
    return endsBy === undefined && !this.#run.scheduler.isQuiet;
  }

  /** A pool says more of itself than the queue of those who wait for it. */
  #wanted({ lastUsed }: ExploredTask, on: Waitable): string | null {
    if (lastUsed?.label !== on.label) return null;
    for (const vocabulary of this.#vocabularies) {
      const wanted = vocabulary.wanted?.(lastUsed) ?? null;
      if (wanted !== null) return wanted;
    }
    return null;
  }

  /** Who waits for what is live can move once that has: until nothing more comes alive. */
  #spreadLife(): void {
    const fresh = [...this.#nodes.values()].filter(({ isLive }) => isLive);
    for (let node = fresh.pop(); node !== undefined; node = fresh.pop()) {
      for (const waiter of this.#waiters.get(node) ?? []) {
        if (waiter.isLive) continue;
        if (waiter.endsBy === "all" && !waiter.next.every(({ isLive }) => isLive)) continue;
        waiter.isLive = true;
        fresh.push(waiter);
      }
    }
  }
}

interface Description {
  readonly name: string;
  readonly state: string;
  readonly sinceStep?: number | undefined;
  readonly waitsForReturn?: boolean;
  readonly isAllocating?: boolean;
  readonly blockers: readonly object[];
  readonly endsBy?: EndsBy | undefined;
  readonly isLive: boolean;
}

/** `bio#2`, `md0-split`: what is enough to tell one thing of a circle from the others. */
export function shortName(name: string): string {
  return /^\w+#\d+(?= )/.exec(name)?.[0] ?? /^\w+ "([^"]+)"$/.exec(name)?.[1] ?? name;
}

/**
 * Whether a task that cannot go on is in the way of somebody: a task of the scenario, or a worker
 * in the middle of a submission. A worker without work just sleeps.
 */
export function isStuck(task: ExploredTask): boolean {
  if (task.state === TaskState.Done) return false;
  return !task.isService || task.bioLists !== null;
}

function closeCircle(
  node: WaitNode,
  path: WaitNode[],
  dead: Set<WaitNode>,
): readonly WaitNode[] | null {
  const start = path.indexOf(node);
  if (start >= 0) return [...path.slice(start), node];
  // Of those that are all needed some may be able to move.
  if (node.isLive || dead.has(node)) return null;
  path.push(node);
  for (const next of node.next) {
    const found = closeCircle(next, path, dead);
    if (found !== null) return found;
  }
  path.pop();
  dead.add(node);
  return null;
}

/** The same circle, told from a task if there is one in it. */
function fromTask(circle: readonly WaitNode[]): readonly WaitNode[] {
  const round = circle.slice(0, -1);
  const start = round.findIndex(({ thing }) => thing instanceof ExploredTask);
  if (start < 0) return circle;
  return [...round.slice(start), ...round.slice(0, start + 1)];
}

function isWaitable(thing: object): thing is Waitable {
  return "blockers" in thing && typeof thing.blockers === "function" && "label" in thing;
}
