import { BioFlag, BioOp, BioStatus, statusName } from "@blkstack/bio";
import type { Task, Waitable, WakeReason } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import type { RuleOfTables } from "../suite/checked-rule.ts";
import { firstDifference, sectorOf } from "../suite/content.ts";
import { expectedAndFound, perform, runUntilEnded } from "../suite/exercise.ts";
import { flushRequest, type Request, type RequestBio, requestText } from "../suite/request.ts";
import { type Subject, SuiteRig, takes } from "../suite/suite-rig.ts";

/** Notes what the task sleeps on that must not. */
class WatchingScheduler extends VirtualScheduler {
  readonly sleeps: string[] = [];
  hurried: Task | null = null;

  override sleep(
    task: Task,
    on: Waitable,
    timeoutMs?: number,
    isRetry?: boolean,
  ): Promise<WakeReason> {
    if (task === this.hurried) this.sleeps.push(on.label);
    return super.sleep(task, on, timeoutMs, isRetry);
  }
}

type Rig = SuiteRig<WatchingScheduler>;

interface Sent {
  readonly request: Request;
  readonly sent: RequestBio;
}

export const noWait: RuleOfTables = {
  name: "no-wait",
  says: "nobody sleeps for a bio that must not wait: it is done, or ends with EAGAIN and has changed nothing",
  check: async (subject) =>
    (await complaintAbout(subject, false)) ??
    (await complaintAbout(subject, true).then((complaint) =>
      complaint === null ? null : `with no memory, behind a write that is at a disk: ${complaint}`,
    )),
};

async function complaintAbout(subject: Subject, isShort: boolean): Promise<string | null> {
  const scheduler = new WatchingScheduler();
  const rig = new SuiteRig(scheduler, { subject });
  await scheduler.perform("people", async (task) => {
    await rig.create(task);
    if (isShort) await rig.starve({}, task);
  });
  for (const disk of rig.disks) disk.holds = () => isShort;
  const sent = [await sendFrom(rig, { op: BioOp.Write, sector: 0, sectors: 1 }, "sender")];
  for (const request of hurriedRequests(subject, rig.sizeSectors)) {
    sent.push(await sendFrom(rig, request, "hurried sender"));
    const [reason] = scheduler.sleeps;
    if (reason !== undefined) return `${requestText(request)}: its sender sleeps on ${reason}`;
  }
  rig.memory.faultPlan = null;
  for (const disk of rig.disks) disk.release();
  await runUntilEnded(
    rig,
    sent.map((each) => each.sent),
  );
  for (const each of sent) {
    const complaint = complaintAboutEnd(rig, each);
    if (complaint !== null) return `${requestText(each.request)} ${complaint}`;
  }
  const whole = { op: BioOp.Read, sector: 0, sectors: rig.sizeSectors };
  const after = await perform(rig, whole);
  return complaintAboutBytes(rig, after.sent, after.expected?.bytes ?? null);
}

/** To other sectors than the write before them; what changes them is not looked at but in the end. */
function hurriedRequests(subject: Subject, sizeSectors: number): readonly Request[] {
  const quarter = Math.floor(sizeSectors / 4);
  const range = { sector: 2 * quarter, sectors: quarter };
  const requests: readonly Request[] = [
    { op: BioOp.Read, sector: quarter, sectors: 1 },
    { op: BioOp.Read, sector: 3 * quarter, sectors: quarter },
    { op: BioOp.Write, sector: quarter, sectors: 1 },
    { op: BioOp.Write, ...range },
    { op: BioOp.Write, ...range, flags: BioFlag.Fua },
    { op: BioOp.Write, ...range, flags: BioFlag.Preflush },
    flushRequest(),
    ...[BioOp.Discard, BioOp.WriteZeroes, BioOp.SecureErase].map((op) => ({ op, ...range })),
  ];
  return requests
    .filter(({ op }) => takes(subject, op))
    .map((request) => ({ ...request, flags: (request.flags ?? 0) | BioFlag.NoWait }));
}

async function sendFrom(rig: Rig, request: Request, name: string): Promise<Sent> {
  const { scheduler, submitter } = rig;
  const sent = rig.bioOf(request);
  const task = scheduler.spawn(name, (self) => submitter.submitBio(sent.bio, self));
  scheduler.hurried = ((request.flags ?? 0) & BioFlag.NoWait) === 0 ? null : task;
  await scheduler.run();
  return { request, sent };
}

/** Asks the model in the order in which bios were sent, of those that were not put off. */
function complaintAboutEnd(rig: Rig, { request, sent }: Sent): string | null {
  const { status, ends } = sent;
  if (status === null || ends !== 1) return `has ended ${String(ends)} times`;
  const isHurried = ((request.flags ?? 0) & BioFlag.NoWait) !== 0;
  if (status === BioStatus.Again && isHurried) return null;
  const expected = rig.expect(request, sent);
  if (expected === null) return null;
  if (status === expected.status) return complaintAboutBytes(rig, sent, expected.bytes);
  return `ended with ${statusName(status)}, not with ${statusName(expected.status)}`;
}

function complaintAboutBytes(
  rig: Rig,
  { bytes, status }: RequestBio,
  expected: Uint8Array | null,
): string | null {
  if (expected === null || status !== BioStatus.Ok) return null;
  const sector = firstDifference(expected, bytes);
  if (sector < 0) return null;
  const found = expectedAndFound(rig, sectorOf(expected, sector), sectorOf(bytes, sector));
  return `afterwards sector ${String(sector)} of what is read ${found}`;
}
