import { BioOp, statusName } from "@blkstack/bio";
import type { SuspendOptions } from "@blkstack/device-mapper";
import { VirtualScheduler } from "@blkstack/task/virtual";
import type { RuleOfTables } from "../suite/checked-rule.ts";
import { firstDifference, sectorOf } from "../suite/content.ts";
import { expectedAndFound, perform, runUntilEnded } from "../suite/exercise.ts";
import type { ModelAnswer } from "../suite/model.ts";
import { type Request, type RequestBio, requestText } from "../suite/request.ts";
import { lowerText } from "../suite/suite-disk.ts";
import { type Subject, SuiteRig } from "../suite/suite-rig.ts";

type Rig = SuiteRig<VirtualScheduler>;

/** A bio that was sent while nobody waited for it. */
interface Pending {
  readonly request: Request;
  readonly sent: RequestBio;
  readonly expected: ModelAnswer | null;
}

/** For whoever does something late: it must not be while the device is suspended. */
const QUIET_MS = 60_000;

export const suspend: RuleOfTables = {
  name: "suspend",
  says: "a suspend takes no time but the disks', nothing moves before the resume, and nothing is lost",
  async check(subject) {
    const rig = await created(subject);
    const before = send(rig, requestsOf(rig, 0));
    const suspended = await suspendBeside(rig, {});
    if (suspended !== null) return suspended;
    const unended = complaintAbout(rig, before);
    if (unended !== null) return `when it is suspended, ${unended}`;
    const meanwhile: Pending[] = [];
    const moved = await complaintWhileSuspended(rig, meanwhile);
    if (moved !== null) return moved;
    await rig.scheduler.perform("people", (task) => rig.dm.resume("md", task));
    return complaintAfterResume(rig, meanwhile);
  },
};

export const pushBack: RuleOfTables = {
  name: "push-back",
  says: "beside a suspend without a flush bios are given back only when it wants them, nothing moves, and the next table does each once",
  async check(subject) {
    for (const { rig } of await subject.exercises()) {
      const misdeed = rig.spy.misdeeds.find(({ rule }) => rule === "push-back");
      if (misdeed !== undefined) return misdeed.what;
    }
    const rig = await created(subject);
    const pending = send(rig, requestsOf(rig, 0));
    const suspended = await suspendBeside(rig, { noflush: true });
    if (suspended !== null) return suspended;
    const moved = await complaintWhileSuspended(rig, pending);
    if (moved !== null) return moved;
    await rig.scheduler.perform("people", (task) => rig.renew(task));
    return complaintAfterResume(rig, pending);
  },
};

async function created(subject: Subject): Promise<Rig> {
  const rig = new SuiteRig(new VirtualScheduler(), { subject });
  await rig.scheduler.perform("people", (task) => rig.create(task));
  return rig;
}

/** A few bios that do not touch each other; `part` of two parts of the line. */
function requestsOf({ sizeSectors }: Rig, part: number): readonly Request[] {
  const quarter = Math.floor(sizeSectors / 4);
  const sector = part * 2 * quarter;
  return [
    { op: BioOp.Write, sector, sectors: 1 },
    { op: BioOp.Write, sector: sector + 1, sectors: quarter - 1 },
    { op: BioOp.Read, sector: sector + quarter, sectors: quarter },
  ];
}

/** Sends bios that stay on the disks, if they come there. */
function send(rig: Rig, requests: readonly Request[]): Pending[] {
  return requests.map((request) => {
    const sent = rig.bioOf(request);
    const expected = rig.expect(request, sent);
    rig.scheduler.spawn("sender", (task) => rig.submitter.submitBio(sent.bio, task));
    return { request, sent, expected };
  });
}

/** Suspends while the disks keep what they have, and then lets them go on. */
async function suspendBeside(rig: Rig, options: SuspendOptions): Promise<string | null> {
  const { scheduler, disks } = rig;
  for (const disk of disks) disk.holds = () => true;
  await scheduler.run();
  scheduler.spawn("people", (task) => rig.dm.suspend("md", task, options));
  await scheduler.run();
  const isBusy = disks.some(({ heldCount }) => heldCount > 0);
  if (isBusy && rig.dm.info("md").isSuspended)
    return "the suspend ends while bios are at the disks";
  for (const disk of disks) disk.release();
  await scheduler.run();
  return rig.dm.info("md").isSuspended
    ? null
    : "the suspend does not end, although the disks have ended all they had";
}

/** Nothing comes to a disk, however long one waits, nor do bios end that are sent now, into `pending`. */
async function complaintWhileSuspended(rig: Rig, pending: Pending[]): Promise<string | null> {
  const { scheduler, disks } = rig;
  const counts = disks.map(({ came }) => came.length);
  const meanwhile = send(rig, requestsOf(rig, 1));
  pending.push(...meanwhile);
  await scheduler.advance(QUIET_MS);
  const late = disks.flatMap(({ came }, index) => came.slice(counts[index]))[0];
  if (late !== undefined) return `${lowerText(late)} came while it was suspended`;
  const early = meanwhile.find(({ sent }) => sent.status !== null);
  return early === undefined ? null : `${requestText(early.request)} ended while it was suspended`;
}

async function complaintAfterResume(rig: Rig, pending: readonly Pending[]): Promise<string | null> {
  await runUntilEnded(
    rig,
    pending.map(({ sent }) => sent),
  );
  const wrong = complaintAbout(rig, pending);
  if (wrong !== null) return `after the resume, ${wrong}`;
  const request = { op: BioOp.Read, sector: 0, sectors: rig.sizeSectors };
  const { sent, expected } = await perform(rig, request);
  const after = complaintAbout(rig, [{ request, sent, expected }]);
  return after === null ? null : `after the resume, ${after}`;
}

function complaintAbout(rig: Rig, pending: readonly Pending[]): string | null {
  for (const { request, sent, expected } of pending) {
    const text = requestText(request);
    if (sent.status === null || sent.ends !== 1)
      return `${text} has ended ${String(sent.ends)} times`;
    if (expected === null) continue;
    if (sent.status !== expected.status) {
      return `${text} ended with ${statusName(sent.status)}, not with ${statusName(expected.status)}`;
    }
    if (expected.bytes === null) continue;
    const sector = firstDifference(expected.bytes, sent.bytes);
    if (sector < 0) continue;
    const found = expectedAndFound(
      rig,
      sectorOf(expected.bytes, sector),
      sectorOf(sent.bytes, sector),
    );
    return `${text}: sector ${String(request.sector + sector)} ${found}`;
  }
  return null;
}
