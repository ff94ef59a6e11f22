import { type Actor, ExploredTask } from "./actor.ts";
import type { Coverage } from "./report.ts";
import type { StepLog } from "./step-log.ts";
import type { Strategy } from "./strategy.ts";

/** Whoever uses an object, and what that use came after, as two numbers of 32 bits. */
interface Use {
  readonly name: string;
  readonly digest: number;
}

/**
 * Counts what runs differ in. Orders are told apart by a digest of 52 bits, so that two in very many
 * may be taken for one. Uses that a step makes without announcing them are not seen.
 */
export class CoverageCounter {
  readonly #orders = new Set<number>();
  readonly #handOffs = new Set<string>();
  readonly #texts = new Map<string, number>();
  #lastOfObject = new Map<string, Use>();
  #lastOfActor = new Map<string, number>();

  get coverage(): Coverage {
    return { orders: this.#orders.size, handOffs: this.#handOffs.size };
  }

  /** Told of each step just before it is taken. */
  stepTaken(actor: Actor): void {
    const { name } = actor;
    const { label, mode } = usedBy(actor);
    const last = this.#lastOfObject.get(label);
    if (last !== undefined && last.name !== name) {
      this.#handOffs.add(`${label}: ${last.name} -> ${name}`);
    }
    let digest = mix(this.#lastOfActor.get(name) ?? this.#digestOf(name), this.#digestOf(label));
    digest = mix(mix(digest, mode), last?.digest ?? 0);
    this.#lastOfActor.set(name, digest);
    this.#lastOfObject.set(label, { name, digest });
  }

  /** A run is over; whether it counts as an order that was seen to its end. */
  runOver(isWhole: boolean): void {
    if (isWhole) {
      let sum = 0;
      for (const digest of this.#lastOfActor.values()) sum = (sum + digest) % DIGESTS;
      this.#orders.add(sum);
    }
    this.#lastOfObject = new Map();
    this.#lastOfActor = new Map();
  }

  #digestOf(text: string): number {
    let digest = this.#texts.get(text);
    if (digest === undefined) {
      digest = ofText(text);
      this.#texts.set(text, digest);
    }
    return digest;
  }
}

/** The strategy, with each step it is told of counted as well. */
export function countingSteps(strategy: Strategy, counter: CoverageCounter): Strategy {
  return new CountingStrategy(strategy, counter);
}

class CountingStrategy implements Strategy {
  readonly name: string;
  readonly #strategy: Strategy;
  readonly #counter: CoverageCounter;

  constructor(strategy: Strategy, counter: CoverageCounter) {
    this.name = strategy.name;
    this.#strategy = strategy;
    this.#counter = counter;
  }

  get isExhaustive(): boolean {
    return this.#strategy.isExhaustive;
  }

  get isRepeating(): boolean {
    return this.#strategy.isRepeating;
  }

  get decidesEveryStep(): boolean {
    return this.#strategy.decidesEveryStep ?? false;
  }

  get log(): StepLog | undefined {
    return this.#strategy.log;
  }

  beginRun(): boolean {
    return this.#strategy.beginRun();
  }

  chooseActor(enabled: readonly Actor[]): number {
    return this.#strategy.chooseActor(enabled);
  }

  chooseOutcome(what: string, count: number): number {
    return this.#strategy.chooseOutcome(what, count);
  }

  stepTaken(actor: Actor): void {
    this.#counter.stepTaken(actor);
    this.#strategy.stepTaken?.(actor);
  }
}

const DIGESTS = 2 ** 52;

function usedBy(actor: Actor): { label: string; mode: number } {
  if (!(actor instanceof ExploredTask)) return { label: actor.source.label, mode: 0 };
  return { label: actor.access.object.label, mode: actor.access.mode };
}

function ofText(text: string): number {
  let digest = 0;
  for (let at = 0; at < text.length; at += 1) digest = mix(digest, text.charCodeAt(at));
  return digest;
}

/** Two rounds of 32 bits, of which 52 are kept. */
function mix(digest: number, what: number): number {
  const low = Math.imul((digest | 0) ^ (what | 0), 0x9e3779b1) >>> 0;
  const high =
    Math.imul((Math.floor(digest / 2 ** 32) ^ what ^ (low >>> 15)) | 0, 0x85ebca6b) >>> 12;
  return high * 2 ** 32 + ((low ^ (low >>> 16)) >>> 0);
}
