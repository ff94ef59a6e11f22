import { VirtualScheduler } from "@blkstack/task/virtual";
import { contentText, firstDifference, sectorOf } from "./content.ts";
import type { ModelAnswer } from "./model.ts";
import { blockSectorsOf, programmeOf } from "./programme.ts";
import { type Request, type RequestBio, requestText } from "./request.ts";
import type { LowerBio } from "./suite-disk.ts";
import { disksOf, SuiteRig, type SuiteRigOptions } from "./suite-rig.ts";

/** One bio that was sent, and all that came of it. */
export interface Step {
  readonly request: Request;
  /** `WRITE 3+2` */
  readonly text: string;
  readonly sent: RequestBio;
  /** What was to come of it; null: the device had to refuse the operation. */
  readonly expected: ModelAnswer | null;
  /** What came to the disks meanwhile. */
  readonly came: readonly LowerBio[];
  /** Where a disk is not as the model has it, in words; null: nowhere. */
  readonly diskDifference: string | null;
  /** What a task or an interrupt threw meanwhile; null: nothing. */
  readonly error: unknown;
}

/** A device that all was asked of, one bio after the other. */
export interface Exercise {
  readonly rig: SuiteRig<VirtualScheduler>;
  readonly steps: readonly Step[];
}

/** Virtual time between bios now and then, for those whose answers depend on it. */
const PAUSE_MS = 300;
const STEPS_PER_PAUSE = 10;
/** As soon as so many bios have not ended, the rest tells nothing more. */
const STUCK_MAX = 3;
/** The clock goes on in such steps while a bio may be held. */
const WAITS = 16;

/** Makes the device and sends everything. Throws what making the device throws. */
export async function exercise(options: SuiteRigOptions): Promise<Exercise> {
  const scheduler = new VirtualScheduler();
  const rig = new SuiteRig(scheduler, options);
  await scheduler.perform("people", (task) => rig.create(task));
  const { sizeSectors } = rig;
  const [target] = rig.spy.targets;
  const programme = programmeOf({
    sizeSectors,
    blockSectors: blockSectorsOf(rig.device.queue.limits.logicalBlockBytes),
    seamSectors: target?.maxIoSectors ?? 0,
    random: new VirtualScheduler({ seed: 2 }).random,
  });
  const steps: Step[] = [];
  let stuck = 0;
  for (const request of programme) {
    const step = await perform(rig, request);
    steps.push(step);
    if (step.sent.status === null) stuck += 1;
    if (stuck === STUCK_MAX) break;
    if (steps.length % STEPS_PER_PAUSE === 0) await scheduler.advance(PAUSE_MS);
  }
  return { rig, steps };
}

/** Sends one bio and lets it end, and as much time pass as the target may take. */
export async function perform(rig: SuiteRig<VirtualScheduler>, request: Request): Promise<Step> {
  const { scheduler, disks } = rig;
  const sent = rig.bioOf(request);
  const expected = rig.expect(request, sent);
  const before = disks.map(({ came }) => came.length);
  let error: unknown = null;
  try {
    scheduler.spawn("sender", (task) => rig.submitter.submitBio(sent.bio, task));
    await runUntilEnded(rig, [sent]);
  } catch (thrown) {
    error = thrown;
  }
  const came = disks.flatMap((disk, index) => disk.came.slice(before[index]));
  const diskDifference = differenceOnDisks(rig);
  return { request, text: requestText(request), sent, expected, came, diskDifference, error };
}

/** Runs until all have ended, or have had as much time as the claims allow. */
export async function runUntilEnded(
  { scheduler, subject }: SuiteRig<VirtualScheduler>,
  sent: readonly RequestBio[],
): Promise<void> {
  await scheduler.run();
  const { holdsMs = 0 } = subject.suite.claims ?? {};
  for (let wait = 0; wait < WAITS && holdsMs > 0; wait += 1) {
    if (sent.every(({ status }) => status !== null)) return;
    await scheduler.advance(holdsMs / WAITS);
  }
}

/** Where a disk of which the model knows all is otherwise; null: nowhere. */
function differenceOnDisks(rig: SuiteRig): string | null {
  for (const disk of rig.disks) {
    const expected = rig.modelDisks.get(disk.name);
    if (expected === undefined || !rig.model.exactDisks.includes(disk.name)) continue;
    const { content } = disk;
    const sector = firstDifference(expected, content);
    if (sector < 0) continue;
    const place = `sector ${String(sector)} of disk ${disk.name}`;
    return `${place} ${expectedAndFound(rig, sectorOf(expected, sector), sectorOf(content, sector))}`;
  }
  return null;
}

/** `should have …, and has …`, of one sector. */
export function expectedAndFound(rig: SuiteRig, expected: Uint8Array, found: Uint8Array): string {
  const names = disksOf(rig.subject.suite).map(([name]) => name);
  return `should have ${contentText(expected, names)}, and has ${contentText(found, names)}`;
}
