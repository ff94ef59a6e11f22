import { BlockError } from "@blkstack/block";
import type { Interruption } from "@blkstack/device-mapper";
import { runInTask } from "@blkstack/stack";
import { Mutex, type Scheduler } from "@blkstack/task";
import { userMessage } from "../user-error.ts";
import type { Answer, Refusal } from "./answer.ts";
import { type ControlRoom, DM_VERBS, type Verb } from "./dm-verbs.ts";
import { EXPORT_VERBS } from "./export-verbs.ts";
import { Fields, refusal } from "./fields.ts";
import { GROUP_VERBS } from "./group-verbs.ts";
import { RELOAD_VERB } from "./reload-verb.ts";
import { StepError } from "./step-error.ts";

const VERBS: ReadonlyMap<string, Verb> = new Map([
  ...Object.entries(DM_VERBS).map(([name, verb]) => [`dm ${name}`, verb] as const),
  ["reload", RELOAD_VERB],
  ...Object.entries(EXPORT_VERBS).map(([name, verb]) => [`export ${name}`, verb] as const),
  ...Object.entries(GROUP_VERBS).map(([name, verb]) => [`group ${name}`, verb] as const),
]);

/**
 * Carries out what people ask of a running stack, each request in a task of its own and one after the
 * other. Questions and resumes do not wait: whatever is under way may be waiting for a resume.
 */
export class Commander {
  readonly #room: ControlRoom;
  readonly #scheduler: Scheduler;
  readonly #onLog: (message: string) => void;
  readonly #turn = new Mutex("requests to change the stack");
  /** Those under way and those that wait for their turn. */
  readonly #underWay = new Map<Promise<Answer>, Interruption>();
  #isClosing = false;

  /** `onLog` is told of what went wrong and no answer says: in the end, or because of a defect. */
  constructor(room: ControlRoom, scheduler: Scheduler, onLog: (message: string) => void) {
    this.#room = room;
    this.#scheduler = scheduler;
    this.#onLog = onLog;
  }

  /**
   * Answers one line. Never throws. Waits: until it is carried out. The interruption says that nobody
   * waits for the answer any more: then a suspend is called off, and what has not begun never does.
   */
  async answer(line: string, interruption: Interruption): Promise<Answer> {
    const answered = this.#perform(line, interruption).catch((error: unknown) => ({
      error: this.#refusalOf(error),
    }));
    this.#underWay.set(answered, interruption);
    try {
      return await answered;
    } finally {
      this.#underWay.delete(answered);
    }
  }

  /** The end: no more requests. Waits: until those under way are carried out, or called off. */
  async close(): Promise<void> {
    this.#isClosing = true;
    for (const interruption of this.#underWay.values()) interruption.raise();
    const resumed = this.#resumeAll();
    await Promise.all(this.#underWay.keys());
    await resumed;
    // What was suspended while the others went on.
    await this.#resumeAll();
  }

  /** A device that cannot be resumed is no reason to leave anything else undone. */
  async #resumeAll(): Promise<void> {
    try {
      await this.#room.stack.resumeAll();
    } catch (error) {
      this.#onLog(error instanceof Error ? error.message : String(error));
    }
  }

  async #perform(line: string, interruption: Interruption): Promise<Answer> {
    const fields = Fields.parse(line);
    const name = fields.text("verb");
    const verb = VERBS.get(name);
    if (verb === undefined) throw refusal(`there is no verb ${JSON.stringify(name)}`);
    fields.allowOnly(["verb", ...verb.fields]);
    return runInTask(this.#scheduler, `control: ${name}`, async (task) => {
      const asked = { fields, room: this.#room, task, interruption };
      if (verb.isUrgent) return verb.perform(asked);
      await this.#turn.lock(task);
      try {
        if (this.#isClosing) throw new BlockError("BLK_STATE", "EINTR", "the server stops");
        if (interruption.isRaised)
          throw new BlockError("BLK_STATE", "EINTR", "nobody waits for it");
        return await verb.perform(asked);
      } finally {
        this.#turn.unlock(task);
      }
    });
  }

  #refusalOf(error: unknown): Refusal {
    if (error instanceof StepError) {
      return { ...this.#refusalOf(error.cause), step: error.step, detail: error.detail };
    }
    if (error instanceof BlockError) return { errno: error.errno, message: error.message };
    const complaint = userMessage(error);
    if (complaint !== undefined) return { errno: "EINVAL", message: complaint };
    const message = error instanceof Error ? error.message : String(error);
    this.#onLog(error instanceof Error ? (error.stack ?? message) : message);
    return { message: `internal error: ${message}` };
  }
}
