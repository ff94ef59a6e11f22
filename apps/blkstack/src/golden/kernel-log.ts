/** A line of the kernel's log by a target: `device-mapper: snapshots: TEXT`. */
const OF_TARGET = /^device-mapper: (?!table:|ioctl:|core:)[\w -]+: (?<text>.*)$/;
const PATIENCE_MS = 5000;
const POLL_MS = 5;

/** What a recorded log line of a target says, without its prefixes; null: no target said it. */
export function textOfTarget(line: string): string | null {
  return OF_TARGET.exec(line)?.groups?.["text"] ?? null;
}

/** What the targets of one boot have told people, until it is compared. */
export class TargetLog {
  readonly #told: string[] = [];
  readonly #isOurs: RegExp;

  /** `isOurs` matches what only targets of blkstack tell: no recording can have it. */
  constructor(isOurs: RegExp) {
    this.#isOurs = isOurs;
  }

  /** `DEVICE: TEXT`, or `DEVICE: persistent snapshot: TEXT`, as `onLog` has it. */
  tell(line: string): void {
    const text = line.replace(/^.*?: (?:[a-z]+ snapshot: )?/, "");
    if (!this.#isOurs.test(text)) this.#told.push(text);
  }

  /** Takes the next lines off. Waits: for a while, if they have not been told yet. */
  async take(count: number): Promise<string[]> {
    for (let ms = 0; this.#told.length < count && ms < PATIENCE_MS; ms += POLL_MS) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    return this.#told.splice(0, count);
  }

  /** What no recorded line was compared with. */
  rest(): readonly string[] {
    return this.#told;
  }
}
