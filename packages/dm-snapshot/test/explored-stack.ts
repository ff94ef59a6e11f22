import { BioOp, BioStatus } from "@blkstack/bio";
import type { LateDisk, Range } from "@blkstack/conformance";
import { defineScenario, type Scenario } from "@blkstack/explorer";
import { Completion, type Task } from "@blkstack/task";
import type { SnapshotPolicies } from "../src/index.ts";
import { fillOf, Rig } from "./rig.ts";

export const OLD = 0xaa;
export const NEW = 0xbb;
export const OWN = 0xcc;

/** An origin of a few chunks under the explorer, stores for its snapshots, and what went wrong. */
class ExploredStack extends Rig {
  readonly origin: LateDisk;
  readonly cow: LateDisk;
  readonly cow2: LateDisk;
  /** What nobody may see, and somebody did. */
  readonly problems: string[] = [];
  readonly #size: string;

  constructor(
    scheduler: ConstructorParameters<typeof Rig>[0],
    { originSectors, cowSectors, policies }: Sizes,
  ) {
    super(scheduler, policies);
    this.#size = String(originSectors);
    this.origin = this.disk("origin", originSectors);
    this.cow = this.disk("cow", cowSectors);
    this.cow2 = this.disk("cow2", cowSectors);
    this.origin.bytes.fill(OLD);
  }

  /** A device over all of the origin; `type` and arguments as in a table. */
  async create(name: string, target: string, task: Task): Promise<void> {
    await this.dm.create(name, task, { table: this.tableOf(target) });
  }

  tableOf(target: string): string {
    return `0 ${this.#size} ${target}`;
  }

  /** Waits: until it has ended, which must be well. */
  async write(name: string, range: Range, byte: number, task: Task): Promise<void> {
    await this.#sendWell(name, BioOp.Write, range, byte, task);
  }

  async discard(name: string, range: Range, task: Task): Promise<void> {
    await this.#sendWell(name, BioOp.Discard, range, 0, task);
  }

  /** Reads, and finds one of `allowed` in each sector. Waits: until it has ended. */
  async find(name: string, range: Range, allowed: readonly number[], task: Task): Promise<void> {
    const bytes = await this.#sendWell(name, BioOp.Read, range, 0, task);
    this.must(
      bytes.every((byte) => allowed.includes(byte)),
      `${name} ${String(range.sector)}+${String(range.sectors)} is ${bytes.join(" ")}`,
    );
  }

  must(isSo: boolean, otherwise: string): void {
    if (!isSo) this.problems.push(otherwise);
  }

  /** What the status of a snapshot says, without the place. */
  status(name: string): string {
    return (this.dm.status(name)[0] ?? "").replace(/^\d+ \d+ [\w-]+ /, "");
  }

  async #sendWell(
    name: string,
    op: BioOp,
    range: Range,
    byte: number,
    task: Task,
  ): Promise<number[]> {
    const sent = this.bio(this.dm.get(name), op, range, byte);
    const what = sent.bio.toString();
    const status = await this.send(sent, task);
    this.must(status === BioStatus.Ok, `${what}: ${String(status)}`);
    this.must(sent.ends === 1, `${what} ended ${String(sent.ends)} times`);
    return fillOf(sent);
  }
}

interface Sizes {
  readonly originSectors: number;
  readonly cowSectors: number;
  readonly policies?: Partial<SnapshotPolicies>;
}

/** What several people do to a stack at the same time. */
export interface Story extends Partial<Sizes> {
  /** Before the others begin. */
  readonly before: (stack: ExploredStack, task: Task) => Promise<void>;
  readonly meanwhile: readonly ((stack: ExploredStack, task: Task) => Promise<void>)[];
  /** When all have ended. */
  readonly after: (stack: ExploredStack, task: Task) => Promise<void>;
}

export function scenarioOf(name: string, story: Story): Scenario {
  const { originSectors = 8, cowSectors = 64, policies = {} } = story;
  return defineScenario({
    name,
    summary: name,
    variants: { all: { expect: "ok", summary: "everybody sees what he must" } },
    build(world) {
      const stack = new ExploredStack(world.scheduler, { originSectors, cowSectors, policies });
      let isOver = false;
      world.spawn("people", async (task) => {
        await story.before(stack, task);
        const [own, ...others] = story.meanwhile;
        const ends = others.map((body, index) => {
          const end = new Completion("end of a user", { scheduler: world.scheduler });
          world.spawn(`user ${String(index + 1)}`, async (by) => {
            await body(stack, by);
            end.complete();
          });
          return end;
        });
        await own?.(stack, task);
        for (const end of ends) await end.wait(task);
        await story.after(stack, task);
        isOver = true;
      });
      world.atEnd(() => [...stack.problems, ...(isOver ? [] : ["not all came to their end"])]);
    },
  });
}
