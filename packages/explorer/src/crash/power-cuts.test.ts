import { Bio, bioEndio, BioFlag, BioOp, createVecs, SECTOR_BYTES } from "@blkstack/bio";
import { AccessMode, Completion, type InterruptSource, type Task } from "@blkstack/task";
import { describe, expect, it } from "vitest";
import { explore } from "../explore.ts";
import { parseReplayLine, ReplayLineError } from "../replay-line.ts";
import { replay } from "../replay.ts";
import { defineScenario, type World } from "../scenario.ts";
import { VolatileCache } from "./volatile-cache.ts";

/** A disk of sectors that are each full of one digit; all that it has is its cache. */
class Disk implements InterruptSource<Bio> {
  readonly label = "disk";
  readonly cache = new VolatileCache("disk");
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  handleInterrupt(bio: Bio): void {
    this.cache.acknowledged(bio);
    bioEndio(bio);
  }

  blockers(): readonly object[] {
    return [];
  }

  /** Without `waits` the write is still under way when this is over. */
  async write(task: Task, sector: number, tag: number, flags = 0, waits = true): Promise<void> {
    const { scheduler } = this.#world;
    await this.#world.step(task, { object: this, mode: AccessMode.Write, label: "write" });
    const bio = new Bio(null, null, createVecs(1));
    bio.vecs = bio.inlineVecs;
    bio.vecMax = 1;
    const bytes = new Uint8Array(SECTOR_BYTES).fill(tag);
    bio.addPage({ bytes, frame: 0 }, bytes.length, 0);
    Object.assign(bio, { op: BioOp.Write, sector, flags });
    const end = new Completion("end of a write", { scheduler });
    bio.endIo = () => {
      end.complete();
    };
    this.cache.submitted(bio);
    scheduler.raise(this, bio);
    if (waits) await end.wait(task);
  }
}

const DATA = [0, 1, 2];
const COMMIT = 3;

let recoveries: string[] = [];

/** Three sectors of data and one that says that they are there. */
const commit = defineScenario({
  name: "commit",
  summary: "data, then a sector that vouches for it",
  variants: {
    flushed: { expect: "ok", summary: "behind a flush" },
    unflushed: { expect: "CORRUPTION", summary: "behind nothing" },
    hurried: { expect: "CORRUPTION", summary: "behind a flush that the data did not make" },
  },
  build(world, variant) {
    const disk = new Disk(world);
    const promise = { isMade: false };
    world.spawn("writer", async (task) => {
      for (const sector of DATA) {
        await disk.write(task, sector, 5, 0, variant !== "hurried" || sector !== 1);
      }
      const flags = variant === "unflushed" ? BioFlag.Fua : BioFlag.Fua | BioFlag.Preflush;
      await disk.write(task, COMMIT, 1, flags);
      promise.isMade = true;
    });
    world.powerCuts({
      disks: [disk.cache],
      circumstances: () => (promise.isMade ? "committed" : ""),
      recover(image) {
        const sectors = [0, 0, 0, 0];
        for (const [sector, bytes] of image.sectorsOf("disk")) sectors[sector] = bytes[0] ?? 0;
        recoveries.push(sectors.join(""));
        return sectors;
      },
      check(sectors, { circumstances }) {
        const isThere = sectors[COMMIT] === 1;
        if (circumstances === "committed" && !isThere) {
          return { kind: "LOST_WRITE", message: "the commit is gone" };
        }
        const isWhole = DATA.every((sector) => sectors[sector] === 5);
        return isThere && !isWhole ? "the commit vouches for data that is not there" : null;
      },
    });
  },
});

describe("power cuts", () => {
  it("are survived by a commit behind a flush, and each image is recovered once", async () => {
    recoveries = [];
    const report = await explore(commit, "flushed");
    expect(report.verdict).toBe("proved");
    // Any of the data without the commit, and all of it with.
    expect(report.crash).toMatchObject({ distinctImages: 9, sampledStates: 0 });
    expect(recoveries).toHaveLength(9);
    expect(new Set(recoveries).size).toBe(9);
    expect(report.story).toContain("9 distinct images, every image");
  });

  it("are not tried where nobody wants them", async () => {
    recoveries = [];
    const report = await explore(commit, "unflushed", { crash: "off" });
    expect(report).toMatchObject({ verdict: "proved", crash: null });
    expect(recoveries).toEqual([]);
  });

  it.each(["unflushed", "hurried"])("find the commit that is %s", async (variant) => {
    const report = await explore(commit, variant);
    expect(report).toMatchObject({ verdict: "found", kind: "CORRUPTION" });
    expect(report.message).toBe("the commit vouches for data that is not there");
    expect(report.story).toMatch(/ {2}landed: .*\[3\.\.4\).*\n {2}lost: write \d: WRITE .*sector/);
  });

  it("are repeated by the line of a report, step and sectors", async () => {
    const { replayLine } = await explore(commit, "unflushed");
    expect(replayLine).toMatch(/^commit:unflushed writer.* @cut=\d+:0?[01]+$/);
    const { isSame, report } = await replay(commit, replayLine ?? "");
    expect(isSame).toBe(true);
    expect(report.replayLine).toBe(replayLine);
    expect(report.crash).toBeNull();
    const moved = (replayLine ?? "").replace(/@cut=.*/, "@cut=99:0");
    expect(await replay(commit, moved)).toMatchObject({ isSame: true });
  });

  it("of a replay line that cannot be read are refused", () => {
    expect(parseReplayLine("a:b c @cut=17:0120").cut).toEqual({ step: 17, digits: "0120" });
    for (const wrong of ["@cut=17", "@cut=1:0 @cut=2:0", "@17:0"]) {
      expect(() => parseReplayLine(`a:b c ${wrong}`)).toThrow(ReplayLineError);
    }
  });
});
