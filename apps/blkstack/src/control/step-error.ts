/** A request was refused in one of its steps; the cause says why. */
export class StepError extends Error {
  override readonly name = "StepError";
  readonly step: string;
  /** What `dmsetup` would name besides the device: its number while that is new. */
  readonly detail: string;

  constructor(step: string, detail: string, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.step = step;
    this.detail = detail;
  }
}

/** Says with which step it was when `work` throws. */
export async function atStep(step: string, work: Promise<void>, detail = ""): Promise<void> {
  try {
    await work;
  } catch (error) {
    throw new StepError(step, detail, error);
  }
}
