import { GFP_NOWAIT, type Gfp, gfpName, type Task } from "@blkstack/task";
import type { Memory, Shrinker } from "../src/index.ts";

/** A cache with so many pages, that gives them back when it is asked. */
export class Cache implements Shrinker {
  readonly label: string;
  /** Who asked for how much, and with which mask. */
  readonly asked: string[] = [];
  readonly #memory: Memory;
  pages: number;

  constructor(memory: Memory, pages: number, label = "cache") {
    this.#memory = memory;
    this.pages = pages;
    this.label = label;
    if (!memory.tryTakePages(pages, GFP_NOWAIT, label)) throw new Error(`no pages for ${label}`);
    memory.shrinkers.register(this);
  }

  count(): number {
    return this.pages;
  }

  scan(amount: number, gfp: Gfp, task: Task): number {
    this.asked.push(`${task.name} asks for ${String(amount)} with ${gfpName(gfp)}`);
    this.pages -= amount;
    this.#memory.givePages(amount);
    return amount;
  }
}
