import { BioOp, BioStatus } from "@blkstack/bio";
import { assertNothingFound, explore } from "@blkstack/explorer";
import { describe, expect, it, vi } from "vitest";
import { NEW, OLD, OWN, scenarioOf, type Story } from "../test/explored-stack.ts";

vi.setConfig({ testTimeout: 180_000 });

const CHUNK = { sector: 0, sectors: 8 };
const PART = { sector: 2, sectors: 1 };

/** Every schedule, up to the order of steps that do not matter to each other. */
async function expectProof(name: string, story: Story): Promise<void> {
  const report = await explore(scenarioOf(name, story), "all", { strategy: "dpor" });
  assertNothingFound(report);
  expect(report.verdict).toBe("proved");
}

/** Too many schedules for a proof: all that delay somebody once, and some of the others. */
async function expectWithinBounds(name: string, story: Story): Promise<void> {
  const scenario = scenarioOf(name, story);
  const delays = await explore(scenario, "all", { strategy: "delays", bound: 1, seconds: 60 });
  assertNothingFound(delays);
  expect(delays.boundCompleted).toEqual({ measure: "delays", count: 1 });
  assertNothingFound(await explore(scenario, "all", { strategy: "random", executions: 200 }));
}

const originAndSnapshot =
  (store: string): Story["before"] =>
  async (stack, task) => {
    await stack.create("o", "snapshot-origin origin", task);
    await stack.create("s", `snapshot origin cow ${store}`, task);
  };

const findsOld: Story["before"] = (stack, task) => stack.find("s", CHUNK, [OLD], task);
const writesOrigin: Story["before"] = (stack, task) => stack.write("o", CHUNK, NEW, task);

describe("while the origin is written for the first time", () => {
  it("its snapshot is read, and shows the old data, then and after", async () => {
    await expectProof("read-while-written", {
      before: originAndSnapshot("N 8"),
      meanwhile: [findsOld, writesOrigin],
      after: async (stack, task) => {
        await stack.find("s", CHUNK, [OLD], task);
        await stack.find("o", CHUNK, [NEW], task);
      },
    });
  });

  it("its snapshot that survives is read, and shows the old data, then and when it is read in again", async () => {
    await expectWithinBounds("read-while-written", {
      before: originAndSnapshot("P 8"),
      meanwhile: [findsOld, writesOrigin],
      after: async (stack, task) => {
        await stack.dm.remove("s", task);
        await stack.create("s", "snapshot origin cow P 8", task);
        await findsOld(stack, task);
        await stack.find("o", CHUNK, [NEW], task);
      },
    });
  });

  it("its snapshot is written, and both keep what is theirs, in one exception", async () => {
    await expectProof("write-while-written", {
      before: originAndSnapshot("N 8"),
      meanwhile: [(stack, task) => stack.write("s", CHUNK, OWN, task), writesOrigin],
      after: async (stack, task) => {
        await stack.find("s", CHUNK, [OWN], task);
        await stack.find("o", CHUNK, [NEW], task);
        stack.must(stack.status("s") === "8/64 0", `the store says ${stack.status("s")}`);
      },
    });
  });

  it("a part of a chunk of its snapshot is written, and the rest stays as it was", async () => {
    await expectWithinBounds("part-while-written", {
      before: originAndSnapshot("N 8"),
      meanwhile: [(stack, task) => stack.write("s", PART, OWN, task), writesOrigin],
      after: async (stack, task) => {
        await stack.find("s", PART, [OWN], task);
        await stack.find("s", { sector: 3, sectors: 5 }, [OLD], task);
        await stack.find("o", CHUNK, [NEW], task);
        stack.must(stack.status("s") === "8/64 0", `the store says ${stack.status("s")}`);
      },
    });
  });

  it("another write to the same chunk does not make a second exception", async () => {
    await expectWithinBounds("write-twice", {
      before: originAndSnapshot("N 8"),
      meanwhile: [(stack, task) => stack.write("o", PART, OWN, task), writesOrigin],
      after: async (stack, task) => {
        await findsOld(stack, task);
        await stack.find("o", PART, [OWN, NEW], task);
        stack.must(stack.status("s") === "8/64 0", `the store says ${stack.status("s")}`);
      },
    });
  });

  it("its snapshot is removed, and does not keep it from being written", async () => {
    await expectProof("remove-while-written", {
      before: originAndSnapshot("N 8"),
      meanwhile: [(stack, task) => stack.dm.remove("s", task), writesOrigin],
      after: (stack, task) => stack.find("o", CHUNK, [NEW], task),
    });
  });

  it("a snapshot of it is made, and is of before or of after", async () => {
    await expectProof("create-while-written", {
      before: (stack, task) => stack.create("o", "snapshot-origin origin", task),
      meanwhile: [
        async (stack, task) => {
          await stack.create("s", "snapshot origin cow N 8", task);
          await stack.find("s", CHUNK, [OLD, NEW], task);
        },
        writesOrigin,
      ],
      after: async (stack, task) => {
        const isNew = stack.status("s") === "0/64 0";
        await stack.find("s", CHUNK, [isNew ? NEW : OLD], task);
      },
    });
  });

  it("its snapshot gets another table, and loses nothing", async () => {
    await expectProof("reload-while-written", {
      before: originAndSnapshot("N 8"),
      meanwhile: [
        async (stack, task) => {
          await stack.dm.load("s", stack.tableOf("snapshot origin cow N 8"), task);
          await stack.dm.suspend("s", task);
          await stack.dm.resume("s", task);
        },
        writesOrigin,
      ],
      after: findsOld,
    });
  });
});

it("a snapshot that is lost while another table takes over is marked so on its store", async () => {
  await expectWithinBounds("lost-while-reloaded", {
    // Room for no exception at all.
    cowSectors: 16,
    before: async (stack, task) => {
      await originAndSnapshot("P 8")(stack, task);
      await stack.dm.load("s", stack.tableOf("snapshot origin cow P 8"), task);
    },
    meanwhile: [
      async (stack, task) => {
        await stack.dm.suspend("s", task);
        await stack.dm.resume("s", task);
      },
      async (stack, task) => {
        const sent = stack.bio(stack.dm.get("s"), BioOp.Write, CHUNK, OWN);
        const status = await stack.send(sent, task);
        stack.must(status === BioStatus.IoError, `a write without room: ${String(status)}`);
      },
    ],
    after: async (stack, task) => {
      stack.must(stack.status("s") === "Invalid", `the status is ${stack.status("s")}`);
      await stack.dm.remove("s", task);
      stack.must(stack.cow.bytes[4] === 0, "the store passes for a good one");
    },
  });
});

it("what one snapshot discards, and the origin with it, another one keeps", async () => {
  const features = "2 discard_zeroes_cow discard_passdown_origin";
  await expectWithinBounds("discard-passed-down", {
    before: async (stack, task) => {
      await originAndSnapshot("N 8")(stack, task);
      await stack.create("d", `snapshot origin cow2 N 8 ${features}`, task);
    },
    meanwhile: [(stack, task) => stack.discard("d", CHUNK, task), findsOld],
    after: async (stack, task) => {
      await findsOld(stack, task);
      await stack.find("o", CHUNK, [0], task);
    },
  });
});

describe("while a chunk is merged into its origin", () => {
  const beforeMerge: Story["before"] = async (stack, task) => {
    await originAndSnapshot("P 8")(stack, task);
    await stack.write("s", CHUNK, OWN, task);
    await stack.dm.suspend("s", task);
    await stack.dm.suspend("o", task);
    await stack.dm.load("o", stack.tableOf("snapshot-merge origin cow P 8"), task);
  };
  const merges: Story["before"] = (stack, task) => stack.dm.resume("o", task);

  it("a write to it is lost neither in the store nor under the copy", async () => {
    await expectWithinBounds("write-while-merged", {
      before: beforeMerge,
      meanwhile: [merges, (stack, task) => stack.write("o", PART, NEW, task)],
      after: async (stack, task) => {
        await stack.find("o", PART, [NEW], task);
        await stack.find("o", { sector: 3, sectors: 5 }, [OWN], task);
        // The merge has come to its end, and nothing is left in the store.
        await stack.dm.suspend("o", task);
        await stack.dm.resume("o", task);
        await stack.dm.suspend("o", task);
        await stack.dm.load("o", stack.tableOf("snapshot-origin origin"), task);
        await stack.dm.resume("o", task);
        await stack.find("o", PART, [NEW], task);
      },
    });
  });

  it("a read of it finds what the snapshot had", async () => {
    await expectWithinBounds("read-while-merged", {
      before: beforeMerge,
      meanwhile: [merges, (stack, task) => stack.find("o", CHUNK, [OWN], task)],
      after: (stack, task) => stack.find("o", CHUNK, [OWN], task),
    });
  });

  it("another snapshot goes on showing what was there before", async () => {
    await expectWithinBounds("merge-beside-another", {
      before: async (stack, task) => {
        await beforeMerge(stack, task);
        await stack.create("s2", "snapshot origin cow2 N 8", task);
      },
      meanwhile: [merges, (stack, task) => stack.find("s2", CHUNK, [OLD], task)],
      after: (stack, task) => stack.find("s2", CHUNK, [OLD], task),
    });
  });
});
