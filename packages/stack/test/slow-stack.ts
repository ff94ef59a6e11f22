import { Bio, BioOp } from "@blkstack/bio";
import { MakeRequest, submitAndWait } from "@blkstack/make-request";
import { Memory } from "@blkstack/memory";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { openStack, parseStack, type Stack } from "../src/index.ts";
import { SlowDisk } from "./slow-disk.ts";

/** A stack of slow disks in a time that only passes when it is told to. */
export class SlowStack {
  readonly scheduler: VirtualScheduler = new VirtualScheduler({ isExploring: false });
  readonly #submitter = new MakeRequest();
  #isOver = false;
  #opened: Stack | null = null;

  static async open(text: string): Promise<SlowStack> {
    const slow = new SlowStack();
    const { scheduler } = slow;
    const opening = openStack(parseStack(text, "s.yaml"), {
      scheduler,
      submitter: slow.#submitter,
      memory: new Memory({ scheduler }),
      diskKinds: { ram: ({ name }) => ({ device: new SlowDisk(name, scheduler) }) },
      targets: [],
      baseDirectory: "/nowhere",
    });
    slow.#opened = await slow.#until(opening);
    return slow;
  }

  get stack(): Stack {
    if (this.#opened === null) throw new Error("the stack is not open");
    return this.#opened;
  }

  /** A client that always has so many reads under way; answers how many ended, by and by. */
  load(exported: string, atOnce: number): { ended: number } {
    const count = { ended: 0 };
    for (let number = 0; number < atOnce; number += 1) {
      this.scheduler.spawn(`${exported}.${String(number)}`, async (task) => {
        while (!this.#isOver) {
          const bio = new Bio();
          bio.device = this.stack.exports.get(exported)?.device ?? null;
          bio.op = BioOp.Read;
          bio.vecs = [{ page: { bytes: new Uint8Array(512), frame: 0 }, offset: 0, length: 512 }];
          bio.sizeBytes = 512;
          await submitAndWait(this.#submitter, bio, task);
          count.ended += 1;
        }
      });
    }
    return count;
  }

  /** The clients stop; then the stack is closed. */
  async close(): Promise<void> {
    this.#isOver = true;
    await this.#until(this.stack.close());
  }

  /** Time passes until something has happened. */
  async #until<T>(happens: Promise<T>): Promise<T> {
    const state = { hasHappened: false };
    const over = (): void => void (state.hasHappened = true);
    happens.then(over, over);
    while (!state.hasHappened) await this.scheduler.advance(10);
    return happens;
  }
}
