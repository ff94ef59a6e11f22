import { invariant } from "@blkstack/bio";
import {
  type Access,
  AccessMode,
  assertMaySleep,
  assertNothingParked,
  type InterruptSource,
  type Random,
  type Scheduler,
  type Task,
  type TaskBody,
  type TimerHandle,
  type TimerSource,
  type Waitable,
  WakeReason,
} from "@blkstack/task";
import { type Actor, ExploredTask, type Guard, PendingInterrupt, TaskState } from "./actor.ts";
import { Histories } from "./histories.ts";
import type { Recorder } from "./recorder.ts";
import type { StateTable } from "./state-table.ts";
import { GIVE_UP, type Strategy, Xorshift } from "./strategy.ts";
import type { StepLog } from "./step-log.ts";
import { explored, runSleepHook, wakeLabel } from "./sleeping.ts";
import { StallProbe } from "./stall-probe.ts";
import { VirtualTime } from "./virtual-time.ts";

/** Why a run is over. */
export type Stop =
  /** Nobody can take a step, and time brings nothing new. */
  | { readonly why: "quiet" }
  /** The strategy, or the memory of states, did not want to see more. */
  | { readonly why: "given-up" }
  | { readonly why: "too-long" }
  | { readonly why: "foreign-await"; readonly task: Task | null }
  | { readonly why: "error"; readonly error: unknown; readonly actor: Actor | null };

export interface RunOptions {
  readonly strategy: Strategy;
  /** A run longer than this is given up, as a livelock. */
  readonly stepsMax: number;
  /** The seed of `random`: the same for every run, for chance is not what is explored here. */
  readonly seed: number;
  /** Where equal states are recognised; null: each schedule is run. */
  readonly states: StateTable | null;
  /** What must change if a retry helped: pool counts, lists, what is in flight. */
  readonly fingerprint: () => string;
  /** What is known of the shared objects beyond who used them in which order. */
  readonly stateText: () => string;
  readonly recorder: Recorder | null;
}

const Phase = { Building: 0, Running: 1, Over: 2 } as const;
type Phase = (typeof Phase)[keyof typeof Phase];

const SETTLED = Promise.resolve();

/**
 * The scheduler of one run: one task at a time, from one announced step to the next, and at each
 * point the strategy decides who. Its promises resume through the microtask queue alone.
 */
export class ExploringScheduler implements Scheduler {
  readonly isExploring = true;
  readonly time: VirtualTime = new VirtualTime();
  readonly random: Random;
  readonly tasks: ExploredTask[] = [];
  readonly interrupts: PendingInterrupt[] = [];
  readonly warnings: string[] = [];
  /** The choices made, as indices: enough to repeat the run while the code stays as it is. */
  readonly taken: number[] = [];
  /** Outcomes asked for while a stall is looked for repeat the last one of the same name. */
  #lastOutcomes: Map<string, number> | null = null;
  readonly #options: RunOptions;
  readonly #histories: Histories | null;
  readonly #log: StepLog | undefined;
  readonly #probe: StallProbe;
  #ignored: Set<object> | null = null;
  readonly #enabled: Actor[] = [];
  readonly #eager: ExploredTask[] = [];
  #interruptCount = 0;
  #isInInterrupt = false;
  /** Whose step is going on; null while the scenario is built. */
  #current: Actor | null = null;
  /** Who spawned the tasks that are being started. */
  #spawner: Actor | null = null;
  #phase: Phase = Phase.Building;
  #steps = 0;
  #finish: (stop: Stop) => void = () => undefined;
  readonly #advance: () => void;

  constructor(options: RunOptions) {
    this.#options = options;
    this.random = new Xorshift(options.seed);
    this.#histories = options.states === null ? null : new Histories(options.states, this);
    this.#log = options.strategy.log;
    this.#probe = new StallProbe(this.time, options.fingerprint);
    this.#advance = () => {
      try {
        this.#step();
      } catch (error) {
        this.#stop({ why: "error", error, actor: this.#current });
      }
    };
  }

  get clock(): VirtualTime {
    return this.time;
  }

  get inInterrupt(): boolean {
    return this.#isInInterrupt;
  }

  /** Steps taken so far. */
  get steps(): number {
    return this.#steps;
  }

  /** Retries after a stall that changed something: a wake-up was missing there. */
  get healedStalls(): number {
    return this.#probe.healed;
  }

  /** Runs what was spawned, until it is over or must be given up. */
  run(): Promise<Stop> {
    return new Promise((resolve) => {
      this.#finish = resolve;
      this.#phase = Phase.Running;
      this.#yield();
    });
  }

  /** Called when no microtask is left: then a running task waits for what the explorer cannot see. */
  reportForeignAwait(): void {
    const task = this.#current instanceof ExploredTask ? this.#current : null;
    this.#stop({ why: "foreign-await", task });
  }

  /** A worker or the like. What it does up to its first announcement belongs to the present step. */
  spawn(name: string, body: TaskBody): Task {
    const task = this.#add(name, { body, isService: true });
    this.#eager.push(task);
    return task;
  }

  /**
   * Spawns a task that the run must bring to its end. `startsAtFirstStep`: what it does before its
   * first announced step touches nothing shared, so that starting need not be a step of its own.
   */
  spawnScenarioTask(name: string, body: TaskBody, startsAtFirstStep: boolean): Task {
    const task = this.#add(name, { body, isService: false });
    if (startsAtFirstStep) this.#eager.push(task);
    return task;
  }

  mayPreempt(task: Task, access: Access): Promise<void> | undefined {
    if (this.#ignored?.has(access.object) === true) return undefined;
    // While the stack is built, and in interrupts, nobody else can run.
    if (this.#phase === Phase.Building || this.#isInInterrupt) {
      this.touch(access);
      return undefined;
    }
    return this.step(task, access);
  }

  /** Announces a step that cannot be taken until `guard` holds. Waits: until chosen. */
  step(task: Task, access: Access, guard: Guard | null = null): Promise<void> {
    const announcing = this.#announcing(task, access.label);
    announcing.access = access;
    announcing.guard = guard;
    announcing.state = TaskState.Ready;
    announcing.waitsSinceStep = this.#steps;
    const chosen = new Promise<WakeReason>(announcing.capture);
    this.#yield();
    return chosen as Promise<unknown> as Promise<void>;
  }

  /** From here on, uses of `object` are nobody's business: no step is announced for them. */
  ignore(object: object): void {
    this.#ignored ??= new Set();
    this.#ignored.add(object);
  }

  touch(access: Access): void {
    if (this.#current === null || this.#ignored?.has(access.object) === true) return;
    this.#histories?.use(this.#current, access);
    this.#log?.used(access);
    this.#options.recorder?.touched(access);
  }

  sleep(task: Task, on: Waitable, timeoutMs?: number, isRetry = false): Promise<WakeReason> {
    assertMaySleep(task, on.label);
    const sleeper = this.#announcing(task, on.label);
    const use: Access = { object: on, mode: AccessMode.Write, label: "" };
    this.#histories?.use(sleeper, use);
    this.#log?.used(use);
    sleeper.waitingFor = on;
    if (sleeper.access.object !== sleeper) sleeper.lastUsed = sleeper.access.object;
    sleeper.state = TaskState.Sleeping;
    // Who asks again in vain has been waiting all the time.
    if (!this.#probe.isRunning) sleeper.waitsSinceStep = this.#steps;
    sleeper.guard = null;
    if (timeoutMs !== undefined) {
      const timeout = this.time.start({
        delayMs: timeoutMs,
        isRetry,
        label: `timeout of ${task.name}`,
        fire: () => {
          this.#wakeUp(sleeper, WakeReason.TimedOut);
        },
      });
      sleeper.timeout = timeout;
      this.#log?.timerArmed(timeout.atMs);
    }
    const woken = new Promise<WakeReason>(sleeper.capture);
    this.#options.recorder?.slept(sleeper, use);
    // The task counts as asleep already, so that the hook may wake it.
    if (task.sleepHook !== null) runSleepHook(task, task.sleepHook);
    this.#yield();
    return woken;
  }

  wake(task: Task): void {
    const sleeper = explored(task);
    if (sleeper.state !== TaskState.Sleeping) return;
    sleeper.timeout?.cancel();
    this.#wakeUp(sleeper, WakeReason.Woken);
  }

  raise<Work>(source: InterruptSource<Work>, work: Work): void {
    this.#interruptCount += 1;
    const interrupt = new PendingInterrupt(source, work, this.#interruptCount);
    this.interrupts.push(interrupt);
    this.#histories?.created(interrupt, this.#current);
    this.#log?.made(interrupt);
    this.#options.recorder?.setOff(interrupt);
  }

  startTimer(timer: TimerSource, delayMs: number): TimerHandle {
    const armed = this.time.start({
      delayMs,
      get isRetry() {
        return timer.isRetry;
      },
      label: timer.label,
      fire: () => {
        timer.fire();
      },
    });
    this.#log?.timerArmed(armed.atMs);
    return armed;
  }

  choose(what: string, count: number): number {
    if (count < 2 || this.#phase !== Phase.Running) return 0;
    const outcome = this.#probe.isRunning
      ? Math.min(this.#lastOutcomes?.get(what) ?? 0, count - 1)
      : this.#take(this.#options.strategy.chooseOutcome(what, count));
    this.#lastOutcomes ??= new Map();
    this.#lastOutcomes.set(what, outcome);
    if (this.#current !== null) this.#histories?.learned(this.#current, outcome);
    this.#options.recorder?.outcome(what, outcome);
    return outcome;
  }

  warn(message: string): void {
    this.warnings.push(message);
    this.#options.recorder?.note(`WARN ${message}`);
  }

  #take(index: number): number {
    this.taken.push(index);
    return index;
  }

  /** Lets the loop go on once the running code has suspended, for it announces before it awaits. */
  #yield(): void {
    void SETTLED.then(this.#advance);
  }

  #step(): void {
    const { recorder, strategy, stepsMax } = this.#options;
    for (;;) {
      if (this.#phase !== Phase.Running) return;
      const fresh = this.#eager.shift();
      if (fresh !== undefined) {
        this.#spawner ??= this.#current;
        this.#start(fresh);
        return;
      }
      // The step is still its spawner's.
      this.#current = this.#spawner ?? this.#current;
      this.#spawner = null;
      recorder?.settled();
      const enabled = this.#collectEnabled();
      // What is being repeated was seen, by the run that is repeated.
      if (!strategy.isRepeating && this.#histories?.isKnown(this.#options.stateText()) === true) {
        this.#stop({ why: "given-up" });
        return;
      }
      if (enabled.length === 0) {
        if (!this.#fireTimer()) return;
        continue;
      }
      if (this.#steps >= stepsMax) {
        this.#stop({ why: "too-long" });
        return;
      }
      const index = this.#choose(enabled);
      const actor = index === GIVE_UP ? undefined : enabled[index];
      if (actor === undefined) {
        this.#stop({ why: "given-up" });
        return;
      }
      this.#steps += 1;
      recorder?.step(actor, enabled, this.#current);
      strategy.stepTaken?.(actor);
      if (this.#runStep(actor)) return;
    }
  }

  #choose(enabled: readonly Actor[]): number {
    const { strategy } = this.#options;
    if (this.#probe.isRunning) return 0;
    if (enabled.length > 1) return this.#take(strategy.chooseActor(enabled));
    return strategy.decidesEveryStep === true ? strategy.chooseActor(enabled) : 0;
  }

  /** The one that ran last first, then tasks in the order of their birth, then interrupts. */
  #collectEnabled(): readonly Actor[] {
    const enabled = this.#enabled;
    let count = 0;
    const last = this.#current;
    if (last instanceof ExploredTask && last.isEnabled) enabled[count++] = last;
    for (const task of this.tasks) if (task !== last && task.isEnabled) enabled[count++] = task;
    for (const interrupt of this.interrupts) enabled[count++] = interrupt;
    // Emptied and filled anew it would be allocated anew, in every step.
    if (enabled.length !== count) enabled.length = count;
    return enabled;
  }

  /** Takes one step; whether to wait for the task to announce its next one. */
  #runStep(actor: Actor): boolean {
    this.#current = actor;
    if (actor instanceof PendingInterrupt) {
      this.interrupts.splice(this.interrupts.indexOf(actor), 1);
      this.#interrupt(() => {
        actor.source.handleInterrupt(actor.work);
      });
      this.#histories?.handled(actor);
      return false;
    }
    this.#histories?.use(actor, actor.access);
    if (actor.state === TaskState.Starting) {
      this.#start(actor);
      return true;
    }
    const { resume } = actor;
    actor.resume = null;
    actor.guard = null;
    this.#histories?.resumed(actor);
    resume?.(actor.wakeReason);
    return true;
  }

  #start(task: ExploredTask): void {
    this.#current = task;
    task.state = TaskState.Ready;
    const outcome = task.body(task);
    if (outcome === undefined) {
      this.#end(task);
      this.#yield();
      return;
    }
    outcome.then(
      () => {
        try {
          this.#end(task);
        } catch (error) {
          this.#stop({ why: "error", error, actor: task });
        }
        this.#advance();
      },
      (error: unknown) => {
        this.#stop({ why: "error", error, actor: task });
      },
    );
  }

  #end(task: ExploredTask): void {
    task.state = TaskState.Done;
    assertNothingParked(task);
    invariant(task.atomicDepth === 0, `${task.name} ended holding a spinlock`);
  }

  /** Moves time when nobody can take a step; false when that is no use. */
  #fireTimer(): boolean {
    if (!this.#probe.mayGoOn(this.#options.recorder, this.#steps)) {
      this.#steps = this.#probe.stepsBefore;
      this.#stop({ why: "quiet" });
      return false;
    }
    const timer = this.time.takeEarliest();
    if (timer === null) {
      this.#stop({ why: "quiet" });
      return false;
    }
    this.#log?.timeMoves(this.tasks);
    this.#options.recorder?.fired(`${String(this.time.nowMs())} ms: ${timer.label}`);
    this.#interrupt(() => {
      timer.fire();
    });
    return true;
  }

  #interrupt(handle: () => void): void {
    this.#isInInterrupt = true;
    handle();
    this.#isInInterrupt = false;
  }

  #wakeUp(sleeper: ExploredTask, reason: WakeReason): void {
    sleeper.timeout = null;
    sleeper.state = TaskState.Ready;
    sleeper.wakeReason = reason;
    sleeper.access = { object: sleeper, mode: AccessMode.Write, label: wakeLabel(sleeper, reason) };
    sleeper.waitingFor = null;
    this.#histories?.woken(sleeper, this.#current);
    this.#log?.woke(sleeper);
    this.#options.recorder?.setOff(sleeper);
  }

  #add(name: string, role: { body: TaskBody; isService: boolean }): ExploredTask {
    let unique = name;
    for (let copy = 2; this.tasks.some((task) => task.name === unique); copy += 1) {
      unique = `${name}#${String(copy)}`;
    }
    const task = new ExploredTask(unique, this.tasks.length, this, role);
    this.tasks.push(task);
    this.#histories?.created(task, this.#current);
    this.#log?.made(task);
    this.#options.recorder?.setOff(task);
    return task;
  }

  #stop(stop: Stop): void {
    if (this.#phase !== Phase.Running) return;
    this.#phase = Phase.Over;
    this.#log?.runOver(this.tasks);
    this.#finish(stop);
  }

  /** The task that is about to suspend, which must be the one that runs. */
  #announcing(task: Task, what: string): ExploredTask {
    if (this.#phase === Phase.Building) {
      throw new Error(`${task.name} would wait for ${what} while the scenario is built`);
    }
    if (this.#phase === Phase.Running && (task !== this.#current || this.#isInInterrupt)) {
      const who = this.#current?.name ?? "nobody";
      throw new Error(`${who} runs, but a step of ${task.name} was announced: ${what}`);
    }
    const announcing = explored(task);
    if (announcing.resume !== null && this.#phase === Phase.Running) {
      throw new Error(`${task.name} announced ${what} beside another step of its own`);
    }
    return announcing;
  }
}
