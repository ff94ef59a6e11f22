import { BioOp, BioStatus } from "@blkstack/bio";
import { BlockError } from "@blkstack/block";
import type { Task } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { type BioContents, firstBytes, type Range, type SentBio } from "./sent-bio.ts";
import { TargetRig, type TargetRigOptions } from "./target-rig.ts";

/** A rig in virtual time, for tests that tell a story step by step. */
export class TargetBench extends TargetRig<VirtualScheduler> {
  constructor(options: TargetRigOptions) {
    super(new VirtualScheduler(), options);
  }

  perform<T>(body: (task: Task) => Promise<T>): Promise<T> {
    return this.scheduler.perform("commands", body);
  }

  /** Makes the device `md` of these lines of a table, and goes live with it. */
  async create(...lines: string[]): Promise<void> {
    await this.perform((task) => this.dm.create("md", task, { table: lines.join("\n") }));
  }

  /** The message that a table is refused with; `taken` when it is not. */
  refusal(...lines: string[]): Promise<string> {
    return this.perform((task) =>
      this.dm.create("md", task, { table: lines.join("\n") }).then(
        () => "taken",
        (error: unknown) => {
          if (error instanceof BlockError) return error.message;
          throw error;
        },
      ),
    );
  }

  message(...words: string[]): Promise<string> {
    return this.perform((task) => this.dm.message("md", 0, words, task));
  }

  /** Sends a bio in a task of its own, and runs until nothing moves; no time passes. */
  async start(op: BioOp, range: Range, contents?: BioContents): Promise<SentBio> {
    const sent = this.bio(op, range, contents);
    this.scheduler.spawn("sender", (task) => this.submitter.submitBio(sent.bio, task));
    await this.scheduler.run();
    return sent;
  }

  /** How a write of one byte over and over ended; null: it has not. */
  async write(sector: number, sectors: number, byte: number): Promise<BioStatus | null> {
    return (await this.start(BioOp.Write, { sector, sectors }, { byte })).status;
  }

  /** The first byte of each sector that was read; null: that failed, or has not ended. */
  async read(sector: number, sectors: number): Promise<number[] | null> {
    const sent = await this.start(BioOp.Read, { sector, sectors });
    return sent.status === BioStatus.Ok ? firstBytes(sent.bytes) : null;
  }

  async flush(): Promise<BioStatus | null> {
    return (await this.start(BioOp.Write, { sector: 0, sectors: 0 })).status;
  }

  async discard(sector: number, sectors: number): Promise<BioStatus | null> {
    return (await this.start(BioOp.Discard, { sector, sectors })).status;
  }

  /** The status of the device, without the place: `0 1 0`. */
  status(): string {
    const text = this.dm.status("md").join("; ");
    return text.replace(/^\d+ \d+ [\w-]+ /, "");
  }

  /** Its table, whole. */
  table(): string {
    return this.dm.table("md").join("; ");
  }
}
