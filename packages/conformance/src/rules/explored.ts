import { BioFlag, BioOp, BioStatus, statusName } from "@blkstack/bio";
import { defineScenario, explore, type ExploreOptions, type World } from "@blkstack/explorer";
import { choosesFailures } from "@blkstack/memory";
import { type Awaitable, Completion, type Task } from "@blkstack/task";
import { type ExercisedSubject, type RuleOfTables, schedulesOf } from "../suite/checked-rule.ts";
import { firstDifference, sectorOf } from "../suite/content.ts";
import { expectedAndFound } from "../suite/exercise.ts";
import { flushRequest, type Request, requestText } from "../suite/request.ts";
import {
  ONE_EACH,
  type Subject,
  SuiteRig,
  type SuiteRigOptions,
  takes,
} from "../suite/suite-rig.ts";

/** How many send bios at the same time, each to a part of the line of its own. */
const SENDERS = 3;
/** Attempts to get memory that fail in one run, at most. */
const FAILURES = 2;

/** What is explored of a line. */
interface Exploration {
  readonly rig?: Omit<SuiteRigOptions, "subject">;
  readonly options?: ExploreOptions;
  /** When the device is there, and before bios are sent. */
  readonly before?: (rig: SuiteRig, task: Task) => Awaitable<void>;
  /** While bios are under way. */
  readonly meanwhile?: (rig: SuiteRig, task: Task, world: World) => Promise<void>;
}

/** The same schedules every time. */
export function bounded({ suite }: Subject): ExploreOptions {
  // To learn the orders of locks takes most of the time, and says nothing of any one target.
  return { strategy: "random", executions: schedulesOf(suite), after: "first", lockdep: false };
}

/** Explores a line, and answers what was found, with its story; null: nothing. */
async function findingOf(
  subject: ExercisedSubject,
  { rig: given = {}, options = {}, before, meanwhile }: Exploration,
): Promise<string | null> {
  const scenario = defineScenario({
    name: "conformance",
    summary: `several use "${subject.table.line}"`,
    variants: { all: { expect: "ok", summary: "everybody finds what he must" } },
    build(world) {
      const rig = new SuiteRig(world.scheduler, { ...given, subject });
      const crowd = new Crowd(rig);
      world.spawn("people", async (task) => {
        await rig.create(task);
        await before?.(rig, task);
        const ends = crowd.sendAll(world);
        await meanwhile?.(rig, task, world);
        for (const end of ends) await end.wait(task);
        rig.memory.faultPlan = null;
        await crowd.readAll(task);
        await crowd.remove(task);
      });
      world.atEnd(() => crowd.problems());
    },
  });
  const report = await explore(scenario, "all", { ...bounded(subject), ...options });
  if (report.verdict !== "found") return null;
  return `${String(report.kind)}: ${report.message}\n${report.story}`;
}

/** Those who send bios, and what they complain of. */
class Crowd {
  readonly #rig: SuiteRig;
  readonly #problems: string[] = [];
  #isOver = false;

  constructor(rig: SuiteRig) {
    this.#rig = rig;
  }

  problems(): readonly string[] {
    const { disks, spy } = this.#rig;
    return [
      ...this.#problems,
      ...spy.misdeeds.map(({ what }) => what),
      ...disks.flatMap(({ beyondLimits }) => beyondLimits),
      ...(this.#isOver ? [] : ["not all came to an end"]),
    ];
  }

  /** A task for each sender, with bios for its own part of the line. */
  sendAll(world: World): readonly Completion[] {
    const { scheduler, sizeSectors, subject } = this.#rig;
    const part = Math.floor(sizeSectors / SENDERS);
    return Array.from({ length: SENDERS }, (_, index) => {
      const end = new Completion("end of a sender", { scheduler });
      world.spawn(`sender ${String(index + 1)}`, async (task) => {
        for (const request of requestsOf(subject, index, part)) await this.#perform(request, task);
        end.complete();
      });
      return end;
    });
  }

  /** Everything, when all have ended. */
  async readAll(task: Task): Promise<void> {
    await this.#perform({ op: BioOp.Read, sector: 0, sectors: this.#rig.sizeSectors }, task);
  }

  async remove(task: Task): Promise<void> {
    const { device, dm } = this.#rig;
    const live = device.pools?.liveCount ?? 0;
    if (live > 0) this.#problems.push(`${String(live)} bios of the device are still in use`);
    await dm.remove("md", task);
    this.#isOver = true;
  }

  async #perform(request: Request, task: Task): Promise<void> {
    const rig = this.#rig;
    const sent = rig.bioOf(request);
    const expected = rig.expect(request, sent);
    const status = await rig.send(sent, task);
    const text = requestText(request);
    const wanted = expected?.status ?? BioStatus.NotSupported;
    if (status !== wanted) {
      this.#problems.push(
        `${text} ended with ${statusName(status)}, not with ${statusName(wanted)}`,
      );
    }
    if (sent.ends !== 1) this.#problems.push(`${text} ended ${String(sent.ends)} times`);
    if (request.op === BioOp.Write && firstDifference(sent.before, sent.bytes) >= 0) {
      this.#problems.push(`${text}: the sender's memory was changed`);
    }
    if (!expected?.bytes || status !== BioStatus.Ok) return;
    const sector = firstDifference(expected.bytes, sent.bytes);
    if (sector < 0) return;
    const found = expectedAndFound(
      rig,
      sectorOf(expected.bytes, sector),
      sectorOf(sent.bytes, sector),
    );
    this.#problems.push(`${text}: sector ${String(request.sector + sector)} ${found}`);
  }
}

/** What one sender does: a write and its like, and a look at it. */
function requestsOf(subject: Subject, index: number, part: number): readonly Request[] {
  const range = { sector: index * part, sectors: part };
  const read = { op: BioOp.Read, ...range };
  const write = { op: BioOp.Write, ...range };
  if (index === 0) return [write, read];
  if (index === 1) return [{ ...write, flags: BioFlag.Fua }, read, flushRequest()];
  const discard = { op: BioOp.Discard, ...range };
  return [write, ...(takes(subject, BioOp.Discard) ? [discard] : []), read];
}

export const everyOrder: RuleOfTables = {
  name: "every-order",
  says: "bios under way together are done right, whichever disk ends whichever first",
  isExplored: true,
  check: (subject) => findingOf(subject, {}),
};

export const failingAllocations: RuleOfTables = {
  name: "failing-allocations",
  says: "bios under way together are done right, whichever two attempts to get memory fail",
  isExplored: true,
  check: (subject) =>
    findingOf(subject, {
      before: ({ memory, scheduler }) => {
        memory.faultPlan = choosesFailures(scheduler, FAILURES);
      },
    }),
};

export const poolOfOne: RuleOfTables = {
  name: "pool-of-one",
  says: "bios under way together are done right with no memory at all, and one element in each pool",
  isExplored: true,
  async check(subject) {
    const { reserves } = subject.suite.claims ?? {};
    const starved = (given: typeof reserves): Promise<string | null> =>
      findingOf(subject, {
        rig: { mapper: ONE_EACH },
        before: (rig, task) => rig.starve(given, task),
      });
    const found = await starved(reserves);
    if (found !== null || reserves === undefined) return found;
    if ((await starved({})) !== null) return null;
    const pools = Object.keys(reserves).join(", ");
    return `claims that ${pools} needs more than one element, and does with one`;
  },
};

export const suspendInUse: RuleOfTables = {
  name: "suspend-in-use",
  says: "bios are done right beside a suspend, with or without a flush, another table and a resume",
  isExplored: true,
  check: (subject) =>
    findingOf(subject, {
      async meanwhile(rig, task, world) {
        const { dm } = rig;
        await dm.suspend("md", task, { noflush: world.chooseOf("noflush", [false, true]) });
        if (world.chooseOf("another table", [false, true])) await rig.renew(task);
        else await dm.resume("md", task);
      },
    }),
};
