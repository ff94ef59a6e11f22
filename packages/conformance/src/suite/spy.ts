import type { Bio } from "@blkstack/bio";
import {
  EndIoResult,
  MapResult,
  type Submitter,
  type Target,
  type TargetContext,
  type TargetType,
} from "@blkstack/block";
import { type Awaitable, isPending, type Task } from "@blkstack/task";
import type { RuleName } from "./rule.ts";

/** Something that a target did and must not. */
export interface Misdeed {
  readonly rule: RuleName;
  readonly what: string;
}

/** A copy of a flush, and what became of it. */
export interface MappedFlush {
  readonly copyIndex: number;
  readonly result: MapResult;
  /** Where it was sent. */
  readonly deviceName: string;
}

interface Mapped {
  readonly text: string;
  hasEnded: boolean;
}

/** Stands between the device mapper and the targets of one type, and sees what they do. */
export class Spy {
  readonly misdeeds: Misdeed[] = [];
  readonly flushes: MappedFlush[] = [];
  /** The targets, in the order in which they were made. */
  readonly targets: Target[] = [];
  /** Whether somebody wants bios back, so that targets may give them. */
  isPushingBack: () => boolean = () => false;
  readonly #mapped = new WeakMap<Bio, Mapped>();
  #endIosRunning = 0;

  /** The type, looked at. */
  watch(type: TargetType): TargetType {
    const create = (context: TargetContext): Awaitable<Target> => {
      const made = type.create(this.#watchContext(context));
      if (isPending(made)) return made.then((target) => this.#watchTarget(target, context));
      return this.#watchTarget(made, context);
    };
    return withChanged(type, { create });
  }

  #watchContext(context: TargetContext): TargetContext {
    const { submitter } = context;
    const watched = withChanged(submitter, {
      submitBio: (bio, task) => {
        if (this.#endIosRunning > 0)
          this.#note("end-io", `${bio.toString()} is submitted in endIo`);
        return submitter.submitBio(bio, task);
      },
    } satisfies Partial<Submitter>);
    return withChanged(context, { submitter: watched });
  }

  #watchTarget(target: Target, context: TargetContext): Target {
    this.targets.push(target);
    return withChanged(target, {
      map: (bio, task) => this.#map({ target, context }, bio, task),
      endIo: (bio) => this.#endIo(target, bio),
    } satisfies Partial<Target>);
  }

  #map(
    { target, context }: { target: Target; context: TargetContext },
    bio: Bio,
    task: Task,
  ): Awaitable<MapResult> {
    const isFlush = bio.sizeBytes === 0;
    const text = isFlush ? "a flush" : bio.toString();
    const copyIndex = isFlush ? context.copyIndex(bio) : 0;
    this.#mapped.set(bio, { text, hasEnded: false });
    const mapped = target.map(bio, task);
    const seen = (result: MapResult): MapResult => {
      if (result === MapResult.Requeue && !this.isPushingBack()) {
        this.#note("push-back", `map gives back ${text}, and nobody asked for it`);
      }
      const deviceName = result === MapResult.Remapped ? (bio.device?.name ?? "nowhere") : "";
      if (isFlush) this.flushes.push({ copyIndex, result, deviceName });
      return result;
    };
    return isPending(mapped) ? mapped.then(seen) : seen(mapped);
  }

  /** Of each bio the device mapper hears once, whatever the target does. */
  #endIo(target: Target, bio: Bio): EndIoResult {
    const mapped = this.#mapped.get(bio);
    if (mapped === undefined || mapped.hasEnded) {
      this.#note("ends-once", `${mapped?.text ?? "a bio"} is ended again after its end`);
      return EndIoResult.Incomplete;
    }
    mapped.hasEnded = true;
    const result = this.#resultOf(target, bio, mapped.text);
    if (result === EndIoResult.Incomplete) mapped.hasEnded = false;
    if (result === EndIoResult.Requeue && !this.isPushingBack()) {
      this.#note("push-back", `endIo gives back ${mapped.text}, and nobody asked for it`);
    }
    return result;
  }

  #resultOf(target: Target, bio: Bio, text: string): EndIoResult {
    if (target.endIo === undefined) return EndIoResult.Done;
    this.#endIosRunning += 1;
    try {
      const result: unknown = target.endIo(bio);
      if (isEndIoResult(result)) return result;
      const answer = isPending(result) ? "a promise: it waits" : String(result);
      this.#note("end-io", `endIo of ${text} answers ${answer}`);
      if (isPending(result)) result.catch(() => undefined);
    } catch (error) {
      this.#note("end-io", `endIo of ${text} throws ${String(error)}`);
    } finally {
      this.#endIosRunning -= 1;
    }
    return EndIoResult.Done;
  }

  #note(rule: RuleName, what: string): void {
    this.misdeeds.push({ rule, what });
  }
}

function isEndIoResult(result: unknown): result is EndIoResult {
  return Object.values<unknown>(EndIoResult).includes(result);
}

/** The object, whose other members work as they did, also those that look at its private fields. */
function withChanged<T extends object>(object: T, changes: Partial<T>): T {
  return new Proxy(object, {
    get(_, key) {
      if (Object.hasOwn(changes, key)) return Reflect.get(changes, key) as unknown;
      const value = Reflect.get(object, key, object) as unknown;
      // A proxy has no private fields, so methods are called on what it stands for.
      return typeof value === "function" ? (value.bind(object) as unknown) : value;
    },
  });
}
