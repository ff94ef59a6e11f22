import type { Awaitable, Task } from "@blkstack/task";
import type { BackingFile, FileRange } from "../src/index.ts";
import { RamFile } from "../src/simulated.ts";

/** What a call is to answer instead of being made: an errno, or a count to move at most. */
export type Oddity = (call: string) => number | null;

/** A file that moves less than it is asked, fails, and writes down what it was asked. */
export class OddFile implements BackingFile {
  readonly label = "odd";
  readonly kind = "regular";
  readonly isReadOnly = false;
  readonly ram: RamFile;
  /** `read 8192+4096`, `sync`, … in order. */
  readonly calls: string[] = [];
  oddity: Oddity = () => null;
  /** What to wait for before each call is made. */
  before: (call: string, task: Task) => Awaitable<unknown> = () => undefined;

  constructor(sizeBytes: number) {
    this.ram = new RamFile({ label: "odd", sizeBytes });
  }

  get sizeBytes(): number {
    return this.ram.sizeBytes;
  }

  read(views: readonly Uint8Array[], offsetBytes: number, task: Task): Awaitable<number> {
    return this.#move("read", views, offsetBytes, task);
  }

  write(views: readonly Uint8Array[], offsetBytes: number, task: Task): Awaitable<number> {
    return this.#move("write", views, offsetBytes, task);
  }

  async sync(task: Task): Promise<number> {
    return this.#call("sync", () => 0, task);
  }

  async punchHole(range: FileRange, task: Task): Promise<number> {
    return this.#call(`punch ${textOf(range)}`, () => this.ram.punchHole(range), task);
  }

  async zeroRange(range: FileRange, mayFree: boolean, task: Task): Promise<number> {
    const how = mayFree ? "zero" : "zero, keeping blocks,";
    return this.#call(`${how} ${textOf(range)}`, () => this.ram.zeroRange(range), task);
  }

  async #move(
    what: "read" | "write",
    views: readonly Uint8Array[],
    offsetBytes: number,
    task: Task,
  ): Promise<number> {
    const lengthBytes = views.reduce((sum, { length }) => sum + length, 0);
    const call = `${what} ${textOf({ offsetBytes, lengthBytes })}`;
    return this.#call(call, (limit) => this.ram[what](cut(views, limit), offsetBytes), task);
  }

  async #call(call: string, make: (limit: number) => number, task: Task): Promise<number> {
    this.calls.push(call);
    await this.before(call, task);
    const odd = this.oddity(call);
    return odd !== null && odd <= 0 ? odd : make(odd ?? Infinity);
  }
}

function textOf({ offsetBytes, lengthBytes }: FileRange): string {
  return `${String(offsetBytes)}+${String(lengthBytes)}`;
}

/** The first `limit` bytes of all of them. */
function cut(views: readonly Uint8Array[], limit: number): Uint8Array[] {
  const front: Uint8Array[] = [];
  let left = limit;
  for (const view of views) {
    if (left > 0) front.push(view.subarray(0, left));
    left -= view.length;
  }
  return front;
}
