import type { CopyListener, IoRegion, KcopydClient } from "@blkstack/kcopyd";
import { Completion, type Task } from "@blkstack/task";

/** Copies one region and answers whether all went well. Waits: until it is copied. */
export async function copyAndWait(
  copier: KcopydClient,
  source: IoRegion,
  target: IoRegion,
  task: Task,
): Promise<boolean> {
  const end = new AwaitedCopy(task, copier);
  await copier.copy({ source, destinations: [target] }, end, task);
  return end.wait(task);
}

class AwaitedCopy implements CopyListener {
  readonly #end: Completion;
  #isOk = false;

  constructor({ scheduler }: Task, copier: KcopydClient) {
    const blockers = (): readonly object[] => copier.blockers();
    this.#end = new Completion("end of a copy", { scheduler, blockers });
  }

  copyEnded(readErrors: number, writeErrors: number): void {
    this.#isOk = (readErrors | writeErrors) === 0;
    this.#end.complete();
  }

  async wait(task: Task): Promise<boolean> {
    await this.#end.wait(task);
    return this.#isOk;
  }
}
