import type { Access, WakeReason } from "@blkstack/task";
import type { Actor, ExploredTask, PendingInterrupt } from "./actor.ts";
import type { Histories } from "./histories.ts";
import type { Answer, Recorder } from "./recorder.ts";
import type { Stop } from "./run-options.ts";
import type { RunWatcher } from "./run-watcher.ts";
import type { StepLog } from "./step-log.ts";
import type { PendingTimer } from "./timer-choices.ts";
import type { ArmedTimer } from "./virtual-time.ts";

/**
 * Hands what happens in a run to whoever is there to be told: the memory of states, the strategy's
 * log, the recorder, and the watchers of the checks. Most runs have none or one of them.
 */
export class Audience {
  readonly #histories: Histories | null;
  readonly #log: StepLog | null;
  readonly #recorder: Recorder | null;
  #watchers: RunWatcher[] | null = null;
  /** Those of them who want to know of every use, step and pause: events of every step. */
  #readers: RunWatcher[] | null = null;
  #followers: RunWatcher[] | null = null;
  #lookers: RunWatcher[] | null = null;

  constructor(histories: Histories | null, log: StepLog | null, recorder: Recorder | null) {
    this.#histories = histories;
    this.#log = log;
    this.#recorder = recorder;
  }

  /** `watcher` is told from here on. */
  add(watcher: RunWatcher): void {
    this.#watchers ??= [];
    this.#watchers.push(watcher);
    if (watcher.used !== undefined) (this.#readers ??= []).push(watcher);
    if (watcher.stepBegins !== undefined) (this.#followers ??= []).push(watcher);
    if (watcher.settled !== undefined) (this.#lookers ??= []).push(watcher);
  }

  created(actor: Actor, by: Actor | null): void {
    this.#histories?.created(actor, by);
    this.#log?.made(actor);
    this.#recorder?.setOff(actor);
    if (this.#watchers !== null) for (const each of this.#watchers) each.created?.(actor, by);
  }

  stepBegins(actor: Actor, enabled: readonly Actor[], last: Actor | null): void {
    this.#recorder?.step(actor, enabled, last);
    if (this.#followers !== null) for (const each of this.#followers) each.stepBegins?.(actor);
  }

  /** What the step was announced with: strategies read it off the task. */
  usedAsAnnounced(task: ExploredTask): void {
    this.#histories?.use(task, task.access);
    if (this.#readers !== null) for (const each of this.#readers) each.used?.(task, task.access);
  }

  used(actor: Actor, access: Access): void {
    this.#histories?.use(actor, access);
    this.#log?.used(access);
    this.#recorder?.touched(access);
    if (this.#readers !== null) for (const each of this.#readers) each.used?.(actor, access);
  }

  /** `use` is what a sleep does to the thing that is waited for. */
  sleeps(task: ExploredTask, use: Access): void {
    this.#histories?.use(task, use);
    this.#log?.used(use);
  }

  slept(task: ExploredTask, use: Access): void {
    this.#recorder?.slept(task, use);
    const { waitingFor } = task;
    if (this.#watchers === null || waitingFor === null) return;
    for (const each of this.#watchers) each.slept?.(task, waitingFor);
  }

  blocked(task: ExploredTask): void {
    if (this.#watchers !== null) for (const each of this.#watchers) each.blocked?.(task);
  }

  woken(sleeper: ExploredTask, by: Actor | null, reason: WakeReason): void {
    this.#histories?.woken(sleeper, by);
    this.#log?.woke(sleeper);
    this.#recorder?.setOff(sleeper);
    if (this.#watchers === null) return;
    for (const each of this.#watchers) each.woken?.(sleeper, by, reason);
  }

  resumed(task: ExploredTask): void {
    this.#histories?.resumed(task);
  }

  handled(interrupt: PendingInterrupt): void {
    this.#histories?.handled(interrupt);
  }

  timerArmed(timer: ArmedTimer): void {
    this.#log?.timerArmed(timer.atMs);
    if (this.#watchers !== null) for (const each of this.#watchers) each.timerArmed?.(timer);
  }

  timerFired(timer: ArmedTimer, nowMs: number, tasks: readonly ExploredTask[]): void {
    this.#log?.timeMoves(tasks);
    this.#recorder?.fired(`${String(nowMs)} ms: ${timer.label}`);
    if (this.#watchers !== null) for (const each of this.#watchers) each.timerFired?.(timer);
  }

  /** The timer may fire as a step of its own from here on. */
  timerWaits(timer: PendingTimer, by: Actor | null): void {
    this.#histories?.created(timer, by);
    this.#log?.made(timer);
    this.#recorder?.setOff(timer);
  }

  timerCancelled(timer: PendingTimer): void {
    this.#log?.timerCancelled?.(timer);
  }

  /** As a step of its own. */
  timerFires({ timer }: PendingTimer): void {
    if (this.#watchers !== null) for (const each of this.#watchers) each.timerFired?.(timer);
  }

  outcome(actor: Actor | null, answer: Answer): void {
    if (actor !== null) this.#histories?.learned(actor, answer.outcome);
    this.#recorder?.outcome(answer);
  }

  warned(message: string): void {
    this.#recorder?.note(`WARN ${message}`);
  }

  settled(): void {
    this.#recorder?.settled();
    if (this.#lookers !== null) for (const each of this.#lookers) each.settled?.();
  }

  runOver(stop: Stop, tasks: readonly ExploredTask[]): void {
    this.#log?.runOver(tasks);
    if (this.#watchers !== null) for (const each of this.#watchers) each.runOver?.(stop);
  }
}
