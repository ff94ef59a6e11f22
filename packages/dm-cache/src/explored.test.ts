import { type Bio, BioFlag, BioOp, BioStatus, SECTOR_BYTES } from "@blkstack/bio";
import { LateDisk } from "@blkstack/conformance";
import { RamDisk } from "@blkstack/disk-ram";
import {
  assertNothingFound,
  contentKey,
  defineScenario,
  explore,
  VolatileCache,
  type World,
} from "@blkstack/explorer";
import { allFail } from "@blkstack/memory";
import type { Task } from "@blkstack/task";
import { describe, expect, it } from "vitest";
import { Rig } from "../test/rig.ts";

const SECTORS = 32;
const NO_SECTOR = contentKey(new Uint8Array(SECTOR_BYTES));

/** Two users of one block, and what each does; they touch different sectors of it. */
const meetings = defineScenario({
  name: "one-cached-block",
  summary: "two users change one block that is cached",
  variants: Object.fromEntries(
    ["writes", "fua", "through", "zero", "flush", "no-memory"].map((name) => [
      name,
      { expect: "ok", summary: name } as const,
    ]),
  ),
  build(world, variant) {
    const rig = new Rig(world.scheduler);
    const disk = rig.add(
      new LateDisk({ name: "base", sizeSectors: SECTORS, scheduler: world.scheduler }),
    );
    const mode = variant === "through" ? "writethrough" : "writeback";
    const problems: string[] = [];
    world.spawn("people", async (task) => {
      const table = `0 ${String(SECTORS)} cache base 4096 16 1 ${mode}`;
      await rig.dm.create("c", task, { table });
      if (variant === "no-memory") rig.memory.faultPlan = allFail;
      world.spawn("bob", async (by) => {
        if (variant === "zero") await rig.range(BioOp.WriteZeroes, 1, 1, by);
        else if (variant === "flush") await rig.flush(by);
        else await rig.write(1, 1, 2, by, variant === "fua" ? BioFlag.Fua : 0);
        if (variant === "fua" && disk.at(1) !== 2) problems.push("FUA, and not on the disk");
      });
      await rig.write(0, 1, 1, task);
      const [mine] = await rig.read(0, 1, task);
      if (mine !== 1) problems.push(`alice reads ${String(mine)}`);
      if (variant === "flush" || variant === "fua") {
        await rig.flush(task);
        if (disk.at(0) !== 1) problems.push("flushed, and not on the disk");
      }
    });
    world.atEnd(() => problems);
  },
});

describe("users who meet in one block find what they wrote", () => {
  it.each(["writes", "fua", "through", "zero", "flush", "no-memory"])(
    "under 150 schedules of many (%s)",
    async (variant) => {
      const strategy = { strategy: "random", executions: 150 } as const;
      assertNothingFound(await explore(meetings, variant, strategy));
    },
  );
});

/** What happens before and beside the power cuts. */
const workloads: Record<string, (user: PromisedUser) => Promise<void>> = {
  async flush(user) {
    await user.write(0, 1, 1);
    await user.write(8, 1, 2);
    await user.flush();
    await user.write(0, 1, 3);
  },
  async fua(user) {
    await user.write(0, 1, 1);
    await user.write(0, 1, 2, BioFlag.Fua);
    await user.write(1, 1, 3);
    await user.flush();
  },
  async large(user) {
    await user.write(0, 1, 1);
    await user.write(0, 3, 2);
    await user.flush();
    await user.write(1, 1, 3);
  },
};

/** Sends bios one after the other, and keeps account of what was promised. */
class PromisedUser {
  readonly #rig: Rig;
  readonly #promises: VolatileCache;
  readonly #task: Task;

  constructor(rig: Rig, promises: VolatileCache, task: Task) {
    this.#rig = rig;
    this.#promises = promises;
    this.#task = task;
  }

  write(sector: number, sectors: number, byte: number, flags = 0): Promise<void> {
    const bytes = new Uint8Array(sectors * SECTOR_BYTES).fill(byte);
    return this.#send(this.#rig.bio(BioOp.Write, sector, bytes, flags));
  }

  flush(): Promise<void> {
    return this.#send(this.#rig.bio(BioOp.Write, 0, new Uint8Array(0), BioFlag.Preflush));
  }

  async #send(bio: Bio): Promise<void> {
    this.#promises.submitted(bio);
    const status = await this.#rig.perform(bio, this.#task);
    if (status === BioStatus.Ok) this.#promises.acknowledged(bio);
  }
}

const ZEROES = {
  read: (_offset: number, into: Uint8Array, intoOffset: number, length: number) => {
    into.fill(0, intoOffset, intoOffset + length);
  },
};

function cutPower(world: World, mode: string, work: (user: PromisedUser) => Promise<void>): void {
  const { scheduler } = world;
  const rig = new Rig(scheduler);
  const writeCache = new VolatileCache("base");
  const promises = new VolatileCache("c", ZEROES);
  rig.add(new RamDisk({ name: "base", sizeSectors: SECTORS, scheduler, writeCache }));
  world.spawn("user", async (task) => {
    const table = `0 ${String(SECTORS)} cache base 2048 16 3 ${mode} bypass_sectors 3`;
    await rig.dm.create("c", task, { table });
    await work(new PromisedUser(rig, promises, task));
  });
  world.powerCuts<ReadonlyMap<number, number>>({
    disks: [writeCache],
    promises: [promises],
    // What the cache had in memory is gone: the disk is all there is.
    recover: (image) =>
      new Map([...image.sectorsOf("base")].map(([sector, bytes]) => [sector, contentKey(bytes)])),
    check(seen, cut) {
      const kept = cut.promised("c");
      for (let sector = 0; sector < SECTORS; sector += 1) {
        const content = seen.get(sector) ?? NO_SECTOR;
        const complaint = kept.complaintAbout(sector, content, NO_SECTOR);
        if (complaint !== null) return complaint;
      }
      return null;
    },
  });
}

describe("a power cut takes nothing that was durable", () => {
  const cases = Object.keys(workloads).flatMap((name) => [
    [name, "writeback"] as const,
    [name, "writethrough"] as const,
  ]);
  const scenario = defineScenario({
    name: "cache-power-cut",
    summary: "the power is cut under a cache",
    variants: Object.fromEntries(
      cases.map(([name, mode]) => [
        `${name}-${mode}`,
        { expect: "ok", summary: `${name}, ${mode}` } as const,
      ]),
    ),
    build(world, variant) {
      const [name = "", mode = ""] = variant.split("-");
      cutPower(world, mode, (user) => workloads[name]?.(user) ?? Promise.resolve());
    },
  });

  it.each(cases)("under 40 schedules, at every step of each (%s, %s)", async (name, mode) => {
    const strategy = { strategy: "random", executions: 40 } as const;
    const report = await explore(scenario, `${name}-${mode}`, strategy);
    assertNothingFound(report);
    expect(report.crash?.images).toBeGreaterThan(0);
  });
});
