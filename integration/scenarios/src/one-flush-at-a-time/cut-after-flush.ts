import {
  Bio,
  BioFlag,
  BioOp,
  BioStatus,
  createVecs,
  SECTOR_BYTES,
  type Sectors,
} from "@blkstack/bio";
import type { FlushPolicy } from "@blkstack/device-mapper";
import { contentKey, type Expectation, VolatileCache } from "@blkstack/explorer";
import { submitAndWait } from "@blkstack/make-request";
import { DmSetting } from "../dm/setting.ts";
import type { Story } from "../story.ts";

const LINE_SECTORS = 8;
/** Where each line of eight sectors lies. */
const LINES = [
  { disk: "sda", start: 0 },
  { disk: "sdb", start: 0 },
  { disk: "sda", start: LINE_SECTORS },
] as const;

const NEVER_WRITTEN = contentKey(new Uint8Array(SECTOR_BYTES));

/** One writes to two lines of a device and flushes it, another to a third; the power is cut after every step. */
export function cutAfterFlush(flushes: FlushPolicy, expect: Expectation, summary: string): Story {
  return {
    expect,
    summary,
    strategy: "dpor",
    async build(world) {
      const setting = new DmSetting(world, { flushes });
      const disks = ["sda", "sdb"].map((name) => new VolatileCache(name));
      for (const writeCache of disks) setting.watchedDisk(writeCache.name, { writeCache });
      const table = LINES.map(({ disk, start }, line) => {
        return `${String(line * LINE_SECTORS)} 8 linear ${disk} ${String(start)}`;
      });
      const device = await setting.create("top", ...table);
      const { submitters, inFlight } = setting.dm.get("top");
      // Nobody suspends the device.
      for (const count of [submitters, inFlight]) world.ignore(count);
      const promises = new VolatileCache("top");
      const writer = (name: string, bios: readonly Bio[]): void => {
        world.spawn(name, async (task) => {
          for (const bio of bios) {
            bio.device = device;
            promises.submitted(bio);
            const status = await submitAndWait(setting.submitter, bio, task);
            if (status === BioStatus.Ok) promises.acknowledged(bio);
          }
        });
      };
      writer("writer-1", [filled(0), filled(LINE_SECTORS), flush()]);
      writer("writer-2", [filled(2 * LINE_SECTORS)]);
      world.powerCuts<ReadonlyMap<string, number>>({
        disks,
        promises: [promises],
        recover: (image) => {
          const found = disks.flatMap(({ name }) =>
            [...image.sectorsOf(name)].map(([sector, bytes]) => {
              return [`${name} ${String(sector)}`, contentKey(bytes)] as const;
            }),
          );
          return new Map(found);
        },
        check(seen, cut) {
          const kept = cut.promised("top");
          for (const [line, { disk, start }] of LINES.entries()) {
            const content = seen.get(`${disk} ${String(start)}`) ?? NEVER_WRITTEN;
            const complaint = kept.complaintAbout(line * LINE_SECTORS, content, NEVER_WRITTEN);
            if (complaint !== null) return complaint;
          }
          return null;
        },
      });
    },
  };
}

function filled(sector: Sectors): Bio {
  const bio = new Bio(null, null, createVecs(1));
  bio.vecs = bio.inlineVecs;
  bio.vecMax = 1;
  const bytes = new Uint8Array(SECTOR_BYTES).fill(sector + 1);
  bio.addPage({ bytes, frame: 0 }, bytes.length, 0);
  bio.op = BioOp.Write;
  bio.sector = sector;
  return bio;
}

function flush(): Bio {
  const bio = new Bio();
  bio.op = BioOp.Write;
  bio.flags = BioFlag.Preflush;
  return bio;
}
