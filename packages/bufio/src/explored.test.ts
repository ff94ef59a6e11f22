import { type Bio, bioEndio, BioOp, BioStatus } from "@blkstack/bio";
import { type BlockDevice, defaultLimits, RequestQueue } from "@blkstack/block";
import { assertNothingFound, defineScenario, explore, type World } from "@blkstack/explorer";
import { allFail, failsWithoutWaiting } from "@blkstack/memory";
import { Completion, GFP_NOFS, type Task } from "@blkstack/task";
import { describe, expect, it } from "vitest";
import { fillOf, readBlock, Setting, stamp } from "../test/setting.ts";
import { type BufioClient, workQueue } from "./index.ts";

/** Programs for users of one client, each of which is to come to its end under every schedule. */
const programs: Record<string, (world: World, problems: string[]) => void> = {
  /** With one reserved buffer, and one held at a time. */
  "no-memory"(world) {
    const setting = new Setting(world.scheduler);
    const client = setting.client({ reservedBuffers: 1 });
    setting.memory.faultPlan = allFail;
    for (const [index, name] of ["alice", "bob"].entries()) {
      world.spawn(name, async (task) => {
        client.release(await readBlock(client, index, task), task);
      });
    }
  },
  /** Both look for memory for the same block, without the lock. */
  "same-block"(world, problems) {
    const setting = new Setting(world.scheduler);
    const client = setting.client();
    setting.memory.faultPlan = failsWithoutWaiting;
    for (const name of ["alice", "bob"]) {
      world.spawn(name, async (task) => {
        client.release(await readBlock(client, 7, task), task);
      });
    }
    world.atEnd(() => {
      if (client.counters.reads !== 1) problems.push("it was read twice");
      return problems;
    });
  },
  /** The only buffer is dirty, and wanted for another block. */
  "no-memory-dirty"(world, problems) {
    const setting = new Setting(world.scheduler);
    const client = setting.client({ reservedBuffers: 1 });
    setting.memory.faultPlan = allFail;
    for (const [index, name] of ["alice", "bob"].entries()) {
      world.spawn(name, (task) => stamp(client, index, index + 1, task));
    }
    world.atEnd(() => {
      const onDisk = [setting.onDisk(0), setting.onDisk(1)];
      if (onDisk[0] !== 1 && onDisk[1] !== 2) problems.push("nothing was written");
      return problems;
    });
  },
  /** Whoever has all written finds on the disk what he wrote, whatever others write meanwhile. */
  "write-all"(world, problems) {
    const setting = new Setting(world.scheduler);
    const client = setting.client();
    const written = async (byte: number, task: Task): Promise<void> => {
      await stamp(client, 0, byte, task);
      await client.writeDirty(task);
      if (setting.onDisk(0) < byte) problems.push(`${String(byte)} is not on the disk`);
    };
    world.spawn("alice", (task) => written(1, task));
    world.spawn("bob", (task) => stamp(client, 0, 2, task));
    world.atEnd(() => problems);
  },
  /** Both ask for all to be written at a time: neither may leave before it is. */
  "two-write-all"(world, problems) {
    const setting = new Setting(world.scheduler);
    const client = setting.client();
    world.spawn("alice", async (task) => {
      await stamp(client, 0, 1, task);
      world.spawn("bob", async (by) => {
        await client.writeDirty(by);
        if (setting.onDisk(0) !== 1) problems.push("bob left before it was written");
      });
      await client.writeDirty(task);
      if (setting.onDisk(0) !== 1) problems.push("alice left before it was written");
    });
    world.atEnd(() => problems);
  },
  /** The worker gives back what two users still want. */
  shrinking(world, problems) {
    const setting = new Setting(world.scheduler, { caches: { retainBytes: 0 } });
    const client = setting.client({ shrinker: workQueue });
    world.spawn("alice", async (task) => {
      await stamp(client, 0, 1, task);
      world.spawn("short", (by) => {
        for (const shrinker of setting.memory.shrinkers) void shrinker.scan(1, GFP_NOFS, by);
      });
      const fill = await fillOf(client, 0, task);
      if (fill !== 1) problems.push(`read ${String(fill)}`);
    });
    world.atEnd(() => problems);
  },
};

const scenario = defineScenario({
  name: "one-client",
  summary: "users of one client, each of whom comes to an end",
  variants: Object.fromEntries(
    Object.keys(programs).map((name) => [name, { expect: "ok", summary: name } as const]),
  ),
  build(world, variant) {
    programs[variant]?.(world, []);
  },
});

describe("users of one client all come to an end, and find what they wrote", () => {
  it.each(Object.keys(programs))("under every schedule (%s)", async (variant) => {
    const report = await explore(scenario, variant, { strategy: "dpor" });
    assertNothingFound(report);
    expect(report.verdict).toBe("proved");
  });

  it.each(["write-all", "two-write-all", "shrinking"])(
    "under every schedule, when one allocation fails as well (%s)",
    async (variant) => {
      const faults = { allocFail: 1 };
      const strategy = { strategy: "random", executions: 300, faults } as const;
      assertNothingFound(await explore(scenario, variant, strategy));
    },
  );
});

describe("users who hold more than is reserved", () => {
  const hoarding = defineScenario({
    name: "hoarding",
    summary: "two users hold a buffer each, and want a second one, of a reserve of two",
    variants: {
      enough: { expect: "ok", summary: "of a reserve of three" },
      short: { expect: "DEADLOCK", summary: "of a reserve of two" },
    },
    build(world, variant) {
      const setting = new Setting(world.scheduler);
      const client = setting.client({ reservedBuffers: variant === "enough" ? 3 : 2 });
      setting.memory.faultPlan = allFail;
      const hoard = async (first: number, task: Task): Promise<void> => {
        const one = await readBlock(client, first, task);
        const two = await readBlock(client, first + 1, task);
        client.release(one, task);
        client.release(two, task);
      };
      world.spawn("alice", (task) => hoard(0, task));
      world.spawn("bob", (task) => hoard(10, task));
    },
  });

  it("wait for each other, and the story says who holds what", async () => {
    const report = await explore(hoarding, "short", { strategy: "random", executions: 300 });
    expect(report.kind).toBe("DEADLOCK");
    expect(report.message).toMatch(/a buffer of bufio "c" -> (alice|bob)/);
  });

  it("do not, when one more is there", async () => {
    const strategy = { strategy: "random", executions: 300 } as const;
    assertNothingFound(await explore(hoarding, "enough", strategy));
  });
});

describe("a driver that reads its metadata while it maps a bio", () => {
  const inside = (call: (client: BufioClient, task: Task) => unknown) =>
    defineScenario({
      name: "inside-a-driver",
      summary: "a driver asks for a block, the bio of which is parked on its own task",
      variants: { asks: { expect: "BUG", summary: "it is refused" } },
      build(world) {
        const setting = new Setting(world.scheduler);
        const client = setting.client();
        const driver: BlockDevice = {
          name: "driver",
          sizeSectors: 8,
          isReadOnly: false,
          queue: new RequestQueue("driver", defaultLimits()),
          submitBio: async (bio: Bio, task: Task) => {
            await call(client, task);
            bioEndio(bio);
          },
        };
        world.spawn("alice", async (task) => {
          const end = new Completion("end", { scheduler: world.scheduler });
          const bio = setting.bio(driver, BioOp.Read, () => {
            end.complete();
          });
          await setting.submitter.submitBio(bio, task);
          await end.wait(task);
          if (bio.status !== BioStatus.Ok) throw new Error("it failed");
        });
      },
    });

  it.each([
    ["read", (client: BufioClient, task: Task) => client.read(0, task)],
    ["new", (client: BufioClient, task: Task) => client.new(0, task)],
    ["prefetch", (client: BufioClient, task: Task) => client.prefetch(0, 1, task)],
  ] as const)("is refused by name (%s)", async (name, call) => {
    const report = await explore(inside(call), "asks");
    expect(report.kind).toBe("BUG");
    expect(report.message).toContain(`${name} of block 0 of bufio "c" inside a driver call`);
  });
});
