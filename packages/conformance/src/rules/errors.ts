import { BioOp, BioStatus, statusName } from "@blkstack/bio";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { nothingSeen, type RuleOfTables } from "../suite/checked-rule.ts";
import { firstDifference } from "../suite/content.ts";
import { perform, type Step } from "../suite/exercise.ts";
import { flushRequest, type Request } from "../suite/request.ts";
import type { SuiteDisk } from "../suite/suite-disk.ts";
import { type Subject, SuiteRig, takes } from "../suite/suite-rig.ts";

const STATUSES: readonly BioStatus[] = [BioStatus.IoError, BioStatus.Medium, BioStatus.NoSpace];

/** What one bio came to over a disk that fails. */
interface Outcome {
  readonly complaint: string | null;
  /** Whether the disk was asked for anything, and failed it. */
  readonly hasFailed: boolean;
}

export const errors: RuleOfTables = {
  name: "errors",
  says: "what a disk fails is failed, at once or by the next flush, with the disk's own status",
  async check(subject) {
    const sectors = subject.table.sizeSectors ?? 8;
    const size = { sector: 0, sectors: Math.min(8, sectors) };
    const requests: readonly Request[] = [
      { op: BioOp.Read, ...size },
      { op: BioOp.Write, ...size },
      ...[BioOp.Discard, BioOp.WriteZeroes].map((op) => ({ op, ...size })),
      flushRequest(),
    ];
    let failures = 0;
    const { length: diskCount } = new SuiteRig(new VirtualScheduler(), { subject }).disks;
    for (const request of requests.filter(({ op }) => takes(subject, op))) {
      for (let disk = 0; disk < diskCount; disk += 1) {
        for (const status of STATUSES) {
          const { complaint, hasFailed } = await tryWith(subject, request, disk, status);
          if (complaint !== null) return complaint;
          if (hasFailed) failures += 1;
        }
      }
    }
    return failures === 0 ? nothingSeen("no disk was asked for anything") : null;
  },
};

async function tryWith(
  subject: Subject,
  request: Request,
  diskIndex: number,
  status: BioStatus,
): Promise<Outcome> {
  const scheduler = new VirtualScheduler();
  const rig = new SuiteRig(scheduler, { subject });
  await scheduler.perform("people", (task) => rig.create(task));
  // So that a flush has something to do.
  const whole = { op: BioOp.Write, sector: 0, sectors: rig.sizeSectors };
  if (request.sectors === 0) await perform(rig, whole);
  const disk = rig.disks[diskIndex];
  if (disk === undefined) return { complaint: null, hasFailed: false };
  const count = failAll(disk, status);
  const step = await perform(rig, request);
  const complaint = await complaintAbout({ rig, step, disk, status, count });
  return { complaint, hasFailed: count() > 0 };
}

/** Answers how many bios have failed. */
function failAll(disk: SuiteDisk, status: BioStatus): () => number {
  let failures = 0;
  disk.faults = {
    statusOf() {
      failures += 1;
      return status;
    },
  };
  return () => failures;
}

interface Failure {
  readonly rig: SuiteRig<VirtualScheduler>;
  readonly step: Step;
  readonly disk: SuiteDisk;
  readonly status: BioStatus;
  readonly count: () => number;
}

async function complaintAbout(failure: Failure): Promise<string | null> {
  const { rig, step, disk, status, count } = failure;
  if (count() === 0 || step.error !== null) return null;
  const { errors: told = "as-they-are", toleratesErrorsOf = [] } = rig.subject.suite.claims ?? {};
  const what = `${step.text} while disk ${disk.name} fails with ${statusName(status)}`;
  const ended = step.sent.status;
  if (ended === null) return `${what}: has not ended`;
  if (ended !== BioStatus.Ok) {
    const isRight = told === "any" || ended === status || ended === step.expected?.status;
    return isRight ? null : `${what}: ended with ${statusName(ended)}`;
  }
  if (toleratesErrorsOf.includes(disk.name) || hasRightData(step)) return null;
  if (step.request.op === BioOp.Read) return `${what}: ended well, with other data`;
  const flushed = await perform(rig, flushRequest());
  if (flushed.sent.status !== BioStatus.Ok) return null;
  return `${what}: ended well, and so did the next flush`;
}

/** A read may find its data elsewhere. */
function hasRightData({ request, expected, sent }: Step): boolean {
  if (request.op !== BioOp.Read || !expected?.bytes) return false;
  return firstDifference(expected.bytes, sent.bytes) < 0;
}
