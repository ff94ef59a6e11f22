import { BioFlag, BioOp, BioStatus, SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import { MapResult } from "@blkstack/block";
import { perTarget } from "@blkstack/device-mapper";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { type ExercisedSubject, nothingSeen, type RuleOfTables } from "../suite/checked-rule.ts";
import { firstDifference, sectorOf } from "../suite/content.ts";
import { expectedAndFound, perform, runUntilEnded } from "../suite/exercise.ts";
import { flushRequest, type Request, type RequestBio, requestText } from "../suite/request.ts";
import { SuiteRig } from "../suite/suite-rig.ts";

export const flush: RuleOfTables = {
  name: "flush",
  says: "when a flush ends, all that was acknowledged before it is sent survives a power cut",
  async check(subject) {
    const { sizeSectors } = new SuiteRig(new VirtualScheduler(), { subject });
    const half = Math.floor(sizeSectors / 2);
    const front = { op: BioOp.Write, sector: 0, sectors: half };
    const back = { op: BioOp.Write, sector: half, sectors: sizeSectors - half };
    const withFlush = { ...back, flags: BioFlag.Preflush };
    return (
      (await complaintAfter(subject, [front, back], flushRequest(), [0, sizeSectors])) ??
      (await complaintAfter(subject, [front], withFlush, [0, half]))
    );
  },
};

export const fua: RuleOfTables = {
  name: "fua",
  says: "when a write with FUA ends, what it wrote survives a power cut",
  async check(subject) {
    const { sizeSectors } = new SuiteRig(new VirtualScheduler(), { subject });
    const sizes = [...new Set([1, Math.min(8, sizeSectors), sizeSectors])];
    for (const sectors of sizes) {
      for (const flags of [BioFlag.Fua, BioFlag.Fua | BioFlag.Preflush]) {
        const write = { op: BioOp.Write, sector: 0, sectors, flags };
        const complaint = await complaintAfter(subject, [], write, [0, sectors]);
        if (complaint !== null) return complaint;
      }
    }
    return null;
  },
};

/** Sends all but the last, cuts the power as soon as that has ended, and looks at `[from, to)`. */
async function complaintAfter(
  subject: ExercisedSubject,
  before: readonly Request[],
  last: Request,
  [from, to]: readonly [from: Sectors, to: Sectors],
): Promise<string | null> {
  const scheduler = new VirtualScheduler();
  const rig = new SuiteRig(scheduler, { subject, isCut: true });
  await scheduler.perform("people", (task) => rig.create(task));
  for (const request of before) await perform(rig, request);
  const came = rig.disks.some((disk) => disk.came.some(({ op }) => op !== BioOp.Read));
  const sent = rig.bioOf(last);
  rig.expect(last, sent);
  const contents = contentsAtEndOf(sent, rig);
  // Bios with FUA or a flush linger, so that whoever does not wait for them ends before they do.
  for (const disk of rig.disks) disk.holds = ({ flags }) => (flags & LINGERING) !== 0;
  scheduler.spawn("sender", (task) => rig.submitter.submitBio(sent.bio, task));
  await runUntilEnded(rig, [sent]);
  while (sent.status === null && rig.disks.some(({ heldCount }) => heldCount > 0)) {
    for (const disk of rig.disks) disk.releaseHeld();
    await runUntilEnded(rig, [sent]);
  }
  const text = requestText(last);
  if (sent.status !== BioStatus.Ok) return `${text}: has not ended well`;
  const isWritten = rig.disks.some((disk) => disk.came.some(({ op }) => op !== BioOp.Read));
  if (!came && !isWritten) return nothingSeen("no disk is written");
  return complaintAboutContents(rig, contents(), { text, from, to });
}

const LINGERING = BioFlag.Preflush | BioFlag.Fua;

/** What the disks would keep of a power cut at the moment at which the bio ends. */
function contentsAtEndOf(
  { bio }: RequestBio,
  { disks }: SuiteRig,
): () => ReadonlyMap<string, Uint8Array> {
  let contents = new Map<string, Uint8Array>();
  const noted = bio.endIo;
  bio.endIo = (ended) => {
    contents = new Map(disks.map((disk) => [disk.name, disk.durableContent]));
    noted?.(ended);
  };
  return () => contents;
}

/** Makes the device again over what is left, and reads. */
async function complaintAboutContents(
  rig: SuiteRig,
  contents: ReadonlyMap<string, Uint8Array>,
  { text, from, to }: { text: string; from: Sectors; to: Sectors },
): Promise<string | null> {
  const found = await readAfterCut(rig, contents);
  if (typeof found === "string") return `after a power cut behind ${text}, ${found}`;
  const whole = { op: BioOp.Read, flags: 0, sector: 0, sectors: rig.sizeSectors };
  const expected = rig.model.serve({ ...whole, bytes: new Uint8Array(), atMs: 0 }).bytes;
  if (expected === null) return nothingSeen("the model has no data");
  const [start, end] = [from * SECTOR_BYTES, to * SECTOR_BYTES];
  const sector = from + firstDifference(expected.subarray(start, end), found.subarray(start, end));
  if (sector < from) return null;
  const difference = expectedAndFound(rig, sectorOf(expected, sector), sectorOf(found, sector));
  return `after a power cut behind ${text}, sector ${String(sector)} ${difference}`;
}

/** All of the line as it reads over these contents; a text: what is wrong. */
export async function readAfterCut(
  { subject }: SuiteRig,
  contents: ReadonlyMap<string, Uint8Array>,
): Promise<Uint8Array | string> {
  const scheduler = new VirtualScheduler();
  const rig = new SuiteRig(scheduler, { subject, contents });
  await scheduler.perform("people", (task) => rig.create(task));
  const read = { op: BioOp.Read, sector: 0, sectors: rig.sizeSectors };
  const { sent } = await perform(rig, read);
  return sent.status === BioStatus.Ok ? sent.bytes : "the device cannot be read";
}

export const flushesPassThrough: RuleOfTables = {
  name: "flushes-pass-through",
  says: "who says `flushesPassThrough` sends copy n of a flush to device n, and does nothing else",
  async check(subject) {
    const scheduler = new VirtualScheduler();
    const rig = new SuiteRig(scheduler, { subject, mapper: { flushes: perTarget } });
    await scheduler.perform("people", (task) => rig.create(task));
    const [target] = rig.spy.targets;
    if (target?.flushesPassThrough !== true) return null;
    await perform(rig, flushRequest());
    const devices = target.devices?.() ?? [];
    const copies = target.flushBios ?? 0;
    if (copies !== devices.length) {
      return `says so, with ${String(copies)} copies for ${String(devices.length)} devices`;
    }
    for (const { copyIndex, result, deviceName } of rig.spy.flushes) {
      const wanted = devices[copyIndex]?.device.name ?? "none";
      const copy = `copy ${String(copyIndex)}`;
      if (result !== MapResult.Remapped) return `says so, and ${copy} is not just remapped`;
      if (deviceName !== wanted)
        return `says so, and ${copy} goes to ${deviceName}, not to ${wanted}`;
    }
    return rig.spy.flushes.length === copies ? null : "says so, and not every copy came";
  },
};
