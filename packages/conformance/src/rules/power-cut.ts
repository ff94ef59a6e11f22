import { BioFlag, BioOp, BioStatus, SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import {
  contentKey,
  type CrashImage,
  defineScenario,
  explore,
  VolatileCache,
  type World,
} from "@blkstack/explorer";
import type { Task } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { type ExercisedSubject, nothingSeen, type RuleOfTables } from "../suite/checked-rule.ts";
import { sectorOf } from "../suite/content.ts";
import { flushRequest, type Request } from "../suite/request.ts";
import { SuiteRig } from "../suite/suite-rig.ts";
import { bounded } from "./explored.ts";
import { readAfterCut } from "./flushes.ts";

/** Of one state; of those with more, some are drawn. */
const IMAGES_MAX = 24;
const IMAGES_SAMPLED = 8;
/** The device cannot be made, or read, over what is left. */
const UNREADABLE = -1;

export const powerCut: RuleOfTables = {
  name: "power-cut",
  says: "whenever the power is cut, what was made durable by a flush or FUA is there afterwards",
  isExplored: true,
  async check(subject) {
    const scenario = defineScenario({
      name: "conformance-power-cut",
      summary: `the power is cut under "${subject.table.line}"`,
      variants: { all: { expect: "ok", summary: "nothing durable is lost" } },
      build: (world) => {
        cutPower(world, subject);
      },
    });
    const report = await explore(scenario, "all", bounded(subject));
    if (report.verdict === "found") {
      return `${String(report.kind)}: ${report.message}\n${report.story}`;
    }
    return report.crash?.images ? null : nothingSeen("no disk is written");
  },
};

function cutPower(world: World, subject: ExercisedSubject): void {
  const rig = new SuiteRig(world.scheduler, { subject, isCut: true });
  const { sizeSectors } = rig;
  const untouched = contentsAtFirst(rig);
  const promises = new VolatileCache("md", {
    read(offset, into, at, length) {
      into.set(untouched.subarray(offset, offset + length), at);
    },
  });
  world.spawn("user", async (task) => {
    await rig.create(task);
    for (const request of requestsOf(sizeSectors)) await promised(rig, promises, request, task);
  });
  world.powerCuts<readonly number[]>({
    disks: rig.disks.map(({ cache }) => cache),
    promises: [promises],
    everyImageUpTo: IMAGES_MAX,
    imagesSampled: IMAGES_SAMPLED,
    recover: (image) => keysAfter(image, subject),
    check(seen, cut) {
      if (seen[0] === UNREADABLE) return "the device cannot be made or read over what is left";
      const kept = cut.promised("md");
      for (let sector = 0; sector < sizeSectors; sector += 1) {
        const first = contentKey(sectorOf(untouched, sector));
        const complaint = kept.complaintAbout(sector, seen[sector] ?? UNREADABLE, first);
        if (complaint !== null) return complaint;
      }
      return null;
    },
  });
}

/** Over and over the same sectors, so that there is old content to be found. */
function requestsOf(sizeSectors: Sectors): readonly Request[] {
  const write = (sector: Sectors, sectors: Sectors, flags = 0): Request => ({
    op: BioOp.Write,
    sector,
    sectors,
    flags,
  });
  const middle = Math.floor(sizeSectors / 2);
  return [
    write(0, 2),
    write(middle, 1),
    flushRequest(),
    write(0, 1),
    write(1, 1, BioFlag.Fua),
    write(middle, 1, BioFlag.Preflush),
    write(0, 2, BioFlag.Preflush | BioFlag.Fua),
    write(1, 1),
  ];
}

async function promised(
  rig: SuiteRig,
  promises: VolatileCache,
  request: Request,
  task: Task,
): Promise<void> {
  const sent = rig.bioOf(request);
  promises.submitted(sent.bio);
  if ((await rig.send(sent, task)) === BioStatus.Ok) promises.acknowledged(sent.bio);
}

/** What the device reads before any write, as its model says. */
function contentsAtFirst({ model, sizeSectors }: SuiteRig): Uint8Array {
  const whole = { op: BioOp.Read, flags: 0, sector: 0, sectors: sizeSectors };
  const { bytes } = model.serve({ ...whole, bytes: new Uint8Array(), atMs: 0 });
  return bytes ?? new Uint8Array(sizeSectors * SECTOR_BYTES);
}

async function keysAfter(image: CrashImage, subject: ExercisedSubject): Promise<readonly number[]> {
  const rig = new SuiteRig(new VirtualScheduler(), { subject });
  const contents = new Map(
    rig.disks.map(({ name, content }) => {
      for (const [sector, bytes] of image.sectorsOf(name))
        content.set(bytes, sector * SECTOR_BYTES);
      return [name, content] as const;
    }),
  );
  try {
    const found = await readAfterCut(rig, contents);
    if (typeof found === "string") return [UNREADABLE];
    const count = found.length / SECTOR_BYTES;
    return Array.from({ length: count }, (_, sector) => contentKey(sectorOf(found, sector)));
  } catch {
    // Whatever it says of it, it cannot be used.
    return [UNREADABLE];
  }
}
