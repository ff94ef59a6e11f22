import {
  type Access,
  AccessMode,
  assertMaySleep,
  type Clock,
  type InterruptSource,
  type Scheduler,
  type Task,
  type TaskBody,
  type TimerHandle,
  type TimerSource,
  type Waitable,
  WakeReason,
} from "@blkstack/task";
import { type Actor, ExploredTask, type Guard, PendingInterrupt, TaskState } from "./actor.ts";
import { Audience } from "./audience.ts";
import { FaultInjector } from "./fault-injector.ts";
import type { Finding } from "./finding.ts";
import { Histories } from "./histories.ts";
import type { Lasso } from "./loops/lasso.ts";
import { LoopGuard } from "./loops/loop-guard.ts";
import type { RunLockWatcher } from "./lockdep/run-lock-watcher.ts";
import { Population } from "./population.ts";
import type { RunOptions, Stop } from "./run-options.ts";
import { GIVE_UP, Xorshift } from "./strategy.ts";
import { assertMayAnnounce, explored, runSleepHook, wakeLabel } from "./sleeping.ts";
import { soon } from "./soon.ts";
import { StallProbe } from "./stall-probe.ts";
import { PendingTimer, READ_CLOCK, TimerChoices, wishOf } from "./timer-choices.ts";
import { type ArmedTimer, type TimerWish, VirtualTime } from "./virtual-time.ts";

const Phase = { Building: 0, Running: 1, Over: 2 } as const;
type Phase = (typeof Phase)[keyof typeof Phase];

/**
 * The scheduler of one run: one task at a time, from one announced step to the next, and at each
 * point the strategy decides who. Its promises resume through the microtask queue alone.
 */
export class ExploringScheduler implements Scheduler {
  readonly isExploring = true;
  readonly lockWatcher: RunLockWatcher | null;
  readonly time: VirtualTime = new VirtualTime();
  readonly random: Xorshift;
  readonly loops: LoopGuard;
  readonly tasks: readonly ExploredTask[];
  /** Raised and not handled. */
  readonly interrupts: readonly PendingInterrupt[];
  readonly faults: FaultInjector;
  /** Told of everything; for watchers, who come before the scenario is built. */
  readonly audience: Audience;
  /** Whether the run is over since nobody can take a step, and time brings nothing new. */
  isQuiet = false;
  /** What a watcher has found, in a run that goes on to its end all the same. */
  noted: Finding | null = null;
  readonly warnings: string[] = [];
  /** The choices made, as indices: enough to repeat the run while the code stays as it is. */
  readonly taken: number[] = [];
  /** Outcomes asked for while a stall is looked for repeat the last one of the same name. */
  #lastOutcomes: Map<string, number> | null = null;
  readonly #options: RunOptions;
  readonly #histories: Histories | null;
  readonly #population = new Population();
  readonly #probe: StallProbe;
  /** Null: timers fire only when nobody can take a step. */
  readonly #timers: TimerChoices | null;
  #ignored: Set<object> | null = null;
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
    this.lockWatcher = options.lockdep ?? null;
    this.faults = new FaultInjector(this, options.conditions.faults);
    this.tasks = this.#population.tasks;
    this.interrupts = this.#population.interrupts;
    this.#histories = options.states === null ? null : new Histories(options.states, this);
    this.audience = new Audience(this.#histories, options.strategy.log ?? null, options.recorder);
    this.loops = new LoopGuard(options, this);
    const { timers } = options.conditions;
    this.#timers = timers === "any-time" ? new TimerChoices(this) : null;
    this.#probe = new StallProbe(this.time, options.fingerprint);
    // Assigned where it is written it would live long, and the run with it: see `ExploredTask`.
    const advance = (): void => {
      try {
        this.#step();
      } catch (error) {
        this.#stop({ why: "error", error, actor: this.#current });
      }
    };
    this.#advance = advance;
  }

  get clock(): Clock {
    return this.#timers?.clock ?? this.time;
  }

  get inInterrupt(): boolean {
    return this.#isInInterrupt;
  }

  get isBuilding(): boolean {
    return this.#phase === Phase.Building;
  }

  /** Whether time is moved on only to see whether that changes anything. */
  get isProbing(): boolean {
    return this.#probe.isRunning;
  }

  /** Steps taken so far. */
  get steps(): number {
    return this.#steps;
  }

  /** Retries after a stall that changed something: a wake-up was missing there. */
  get healedStalls(): number {
    return this.#probe.healed;
  }

  /** For watchers. Ends the run here, unless all are to go to their end: then the first one counts. */
  found(finding: Finding): void {
    if (this.#options.runsToEnd === true || this.#isOver) this.noted ??= finding;
    else this.#stop({ why: "finding", finding });
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
    announcing.announce(access, guard, this.#steps);
    const chosen = new Promise<WakeReason>(announcing.capture);
    if (guard !== null) this.audience.blocked(announcing);
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
    this.audience.used(this.#current, access);
  }

  sleep(task: Task, on: Waitable, timeoutMs?: number, isRetry = false): Promise<WakeReason> {
    assertMaySleep(task, on.label);
    const sleeper = this.#announcing(task, on.label);
    if (this.lockWatcher !== null) this.lockWatcher.sleeps(task, on);
    const use: Access = { object: on, mode: AccessMode.Write, label: "" };
    this.audience.sleeps(sleeper, use);
    // Who asks again in vain has been waiting all the time.
    const isNewWait = !this.#probe.isRunning && sleeper.askedAgainFor !== on;
    sleeper.fallAsleep(on, isNewWait, this.#steps, this.time.nowMs());
    if (timeoutMs !== undefined) {
      const wish = {
        delayMs: timeoutMs,
        isRetry,
        label: `timeout of ${task.name}`,
        fire: () => {
          this.#wakeUp(sleeper, WakeReason.TimedOut);
          if (isRetry) sleeper.askedAgainFor = on;
        },
      };
      sleeper.asksAgainMs = isRetry ? timeoutMs : 0;
      sleeper.timeout = this.#arm(wish, `${wish.label} on ${on.label}`);
    }
    const woken = new Promise<WakeReason>(sleeper.capture);
    this.audience.slept(sleeper, use);
    // The task counts as asleep already, so that the hook may wake it.
    if (task.sleepHook !== null) runSleepHook(task, task.sleepHook);
    this.#yield();
    return woken;
  }

  wake(task: Task): void {
    const sleeper = explored(task);
    // Whether it still sleeps depends on what the time is.
    if (this.#timers !== null) this.touch(READ_CLOCK);
    if (sleeper.state !== TaskState.Sleeping) return;
    sleeper.timeout?.cancel();
    this.#wakeUp(sleeper, WakeReason.Woken);
  }

  raise<Work>(source: InterruptSource<Work>, work: Work): void {
    this.#interruptCount += 1;
    const interrupt = new PendingInterrupt(source, work, this.#interruptCount);
    this.#population.interrupts.push(interrupt);
    this.audience.created(interrupt, this.#current);
    if (this.lockWatcher !== null) this.lockWatcher.raised(source, this.#currentTask);
  }

  startTimer(timer: TimerSource, delayMs: number): TimerHandle {
    return this.#arm(wishOf(timer, delayMs), timer.label);
  }

  /** Whether the outcomes asked for are the search's to choose. */
  get isChoosing(): boolean {
    return this.#phase === Phase.Running && !this.#probe.isRunning;
  }

  /** `words`: what a story tells of each outcome; "" for nothing. */
  choose(what: string, count: number, words: readonly string[] | null = null): number {
    if (count < 2 || this.#phase !== Phase.Running) return 0;
    const outcome = this.#probe.isRunning
      ? Math.min(this.#lastOutcomes?.get(what) ?? 0, count - 1)
      : this.#take(this.#options.strategy.chooseOutcome(what, count));
    // No state shows what was answered.
    this.loops.forget();
    this.#lastOutcomes ??= new Map();
    this.#lastOutcomes.set(what, outcome);
    this.audience.outcome(this.#current, { what, outcome, words });
    return outcome;
  }

  warn(message: string): void {
    this.warnings.push(message);
    this.audience.warned(message);
  }

  /** `kind`: what counts as the same timer, armed again. */
  #arm(wish: TimerWish, kind: string): TimerHandle {
    const armed = this.time.start(wish);
    this.audience.timerArmed(armed);
    if (this.#timers === null) return armed;
    this.#interruptCount += 1;
    return this.#timers.armed(new PendingTimer(armed, this.#interruptCount, kind), this.#current);
  }

  #take(index: number): number {
    this.taken.push(index);
    return index;
  }

  /** Lets the loop go on once the running code has suspended, for it announces before it awaits. */
  #yield(): void {
    soon(this.#advance);
  }

  #step(): void {
    const { strategy, stepsMax } = this.#options;
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
      this.audience.settled();
      // A watcher may have seen enough.
      if (this.#isOver) return;
      const enabled = this.#population.enabledAfter(this.#current);
      if (this.#timers !== null && !this.#probe.isRunning) this.#timers.offer(enabled);
      // What is being repeated was seen, by the run that is repeated.
      if (!strategy.isRepeating && this.#histories?.isKnown(this.#options.stateText()) === true) {
        this.#stop({ why: "given-up" });
        return;
      }
      if (enabled.length === 0) {
        if (!this.#fireTimer()) return;
        continue;
      }
      if (this.#steps >= stepsMax && !this.loops.isConfirming) {
        this.#stop({ why: "too-long" });
        return;
      }
      if (this.#steps >= this.loops.looksFrom && !this.#probe.isRunning) {
        const lasso = this.#lookForLoops(enabled);
        if (lasso !== null) {
          this.#steps = lasso.lastStep;
          this.#stop({ why: "loop", lasso });
          return;
        }
        const timer = enabled.length === 0 ? this.time.takeEarliest() : null;
        if (timer !== null) {
          this.#moveTime(timer);
          continue;
        }
      }
      const index = this.#choose(enabled);
      const actor = index === GIVE_UP ? undefined : enabled[index];
      if (actor === undefined) {
        this.#stop({ why: "given-up" });
        return;
      }
      this.#steps += 1;
      this.audience.stepBegins(actor, enabled, this.#current);
      strategy.stepTaken?.(actor);
      if (this.#runStep(actor)) return;
    }
  }

  #lookForLoops(enabled: Actor[]): Lasso | null {
    // Timers that fire as steps of their own are among those enabled.
    const isTimerArmed = this.#timers === null && this.time.armed.length > 0;
    return this.loops.look(this.#current, enabled, { steps: this.#steps, isTimerArmed });
  }

  #choose(enabled: readonly Actor[]): number {
    const { strategy } = this.#options;
    if (this.#probe.isRunning) return 0;
    if (enabled.length > 1) return this.#take(strategy.chooseActor(enabled));
    return strategy.decidesEveryStep === true ? strategy.chooseActor(enabled) : 0;
  }

  /** Takes one step; whether to wait for the task to announce its next one. */
  #runStep(actor: Actor): boolean {
    this.#current = actor;
    if (actor instanceof PendingInterrupt) {
      if (actor instanceof PendingTimer) this.#timers?.fires(actor);
      else this.#population.take(actor);
      this.lockWatcher?.interruptBegins(actor instanceof PendingTimer ? null : actor.source);
      this.#interrupt(() => {
        actor.source.handleInterrupt(actor.work);
      });
      this.audience.handled(actor);
      return false;
    }
    this.loops.takes(actor, this.#steps);
    this.audience.usedAsAnnounced(actor);
    if (actor.state === TaskState.Starting) {
      this.#start(actor);
      return true;
    }
    const { resume } = actor;
    actor.resume = null;
    actor.guard = null;
    this.audience.resumed(actor);
    resume?.(actor.wakeReason);
    return true;
  }

  #start(task: ExploredTask): void {
    this.#current = task;
    task.state = TaskState.Ready;
    const outcome = task.body(task);
    if (outcome === undefined) {
      task.end();
      this.#yield();
      return;
    }
    outcome.then(
      () => {
        try {
          task.end();
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
    this.#moveTime(timer);
    return true;
  }

  #moveTime(timer: ArmedTimer): void {
    this.audience.timerFired(timer, this.time.nowMs(), this.tasks);
    this.lockWatcher?.interruptBegins(null);
    this.#interrupt(() => {
      timer.fire();
    });
  }

  /** The task that runs; null in interrupts and while the scenario is built. */
  get #currentTask(): ExploredTask | null {
    const current = this.#current;
    return current instanceof ExploredTask && !this.#isInInterrupt ? current : null;
  }

  #interrupt(handle: () => void): void {
    this.#isInInterrupt = true;
    handle();
    this.#isInInterrupt = false;
  }

  #wakeUp(sleeper: ExploredTask, reason: WakeReason): void {
    sleeper.wakeUp(reason, wakeLabel(sleeper, reason));
    this.audience.woken(sleeper, this.#current, reason);
  }

  #add(name: string, role: { body: TaskBody; isService: boolean }): ExploredTask {
    const task = new ExploredTask(this.#population.freeName(name), this.tasks.length, this, role);
    this.#population.tasks.push(task);
    this.audience.created(task, this.#current);
    return task;
  }

  get #isOver(): boolean {
    return this.#phase === Phase.Over;
  }

  #stop(stop: Stop): void {
    if (this.#phase !== Phase.Running) return;
    this.#phase = Phase.Over;
    this.isQuiet = stop.why === "quiet";
    this.audience.runOver(stop, this.tasks);
    this.#finish(stop);
  }

  /** The task that is about to suspend, which must be the one that runs. */
  #announcing(task: Task, what: string): ExploredTask {
    const announcing = explored(task);
    if (this.#phase === Phase.Over) return announcing;
    const runs = this.#isInInterrupt ? null : this.#current;
    assertMayAnnounce(announcing, what, { isBuilding: this.isBuilding, runs });
    return announcing;
  }
}
