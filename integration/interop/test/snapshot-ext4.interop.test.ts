// A filesystem that changes while a snapshot of it exists: both are whole, and the snapshot is old.
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { replay } from "../src/block-client.ts";
import { ServedStack } from "../src/served-stack.ts";
import { originStack, snapshotStack } from "../src/snapshot-stack.ts";
import { isMissing, run, succeed } from "../src/tools.ts";

const MIB = 1024 * 1024;
const ORIGIN = originStack(32);
const WITH_SNAPSHOT = snapshotStack({ originMib: 32, storeMib: 16, chunkSectors: 16 });

const stack = new ServedStack();
const { bench } = stack;

/** Has debugfs change a filesystem that nobody has mounted. */
async function change(image: string, ...commands: readonly string[]): Promise<void> {
  const script = bench.write("commands", commands.join("\n"));
  const { stderr } = await run("debugfs", ["-w", "-f", script, bench.path(image)]);
  expect(stderr.replace(/^debugfs [\d.]+ .*\n/, "")).toBe("");
}

function cat(image: string, file: string): Promise<string> {
  return succeed("debugfs", ["-R", `cat ${file}`, bench.path(image)]);
}

/** Has e2fsck look at all of a filesystem; it changes nothing. */
async function expectClean(image: string): Promise<void> {
  const { status, stdout } = await run("e2fsck", ["-fn", bench.path(image)]);
  expect([status, stdout]).toEqual([0, expect.stringContaining("Pass 5")]);
}

const needed = ["nbdcopy", "mke2fs", "e2fsck", "debugfs"] as const;

describe.skipIf(isMissing(...needed))("ext4 on a snapshot-origin", () => {
  beforeAll(async () => {
    mkdirSync(bench.path("files"));
    writeFileSync(bench.path("files/motd"), "the old words\n");
    bench.writePattern("files/gone", 3 * MIB);
    bench.writePattern("new.bin", 5 * MIB);
    const make = ["-q", "-t", "ext4", "-d", bench.path("files"), bench.path("before.raw"), "32M"];
    await succeed("mke2fs", make);
    await stack.serve(ORIGIN);
    await succeed("nbdcopy", ["--flush", bench.path("before.raw"), stack.uriOf("vm")]);
    await stack.served.stop();
    await stack.serve(WITH_SNAPSHOT);
  });

  afterAll(async () => {
    await stack.clear();
  });

  it("changes under its snapshot, which is read at the same time and stays what it was", async () => {
    copyFileSync(bench.path("before.raw"), bench.path("after.raw"));
    bench.write("motd.new", "the new words\n");
    await change(
      "after.raw",
      "rm motd",
      `write ${bench.path("motd.new")} motd`,
      "rm gone",
      "mkdir more",
      `write ${bench.path("new.bin")} more/new.bin`,
    );
    const client = await stack.open("vm");
    const [before, after] = ["before.raw", "after.raw"].map((name) =>
      readFileSync(bench.path(name)),
    );
    if (before === undefined || after === undefined) throw new Error("no images");
    const [written] = await Promise.all([
      replay(client, before, after),
      succeed("nbdcopy", [stack.uriOf("before"), bench.path("during.raw")]),
    ]);
    client.close();
    expect(written).toBeGreaterThan(1000);
    await succeed("nbdcopy", [stack.uriOf("before"), bench.path("snapshot.raw")]);
    await succeed("nbdcopy", [stack.uriOf("vm"), bench.path("vm.raw")]);
    const old = await bench.sha256("before.raw");
    expect(await bench.sha256("during.raw")).toBe(old);
    expect(await bench.sha256("snapshot.raw")).toBe(old);
    expect(await bench.sha256("vm.raw")).toBe(await bench.sha256("after.raw"));
    await expectClean("vm.raw");
    await expectClean("snapshot.raw");
    expect(await cat("vm.raw", "/motd")).toBe("the new words\n");
    expect(await cat("snapshot.raw", "/motd")).toBe("the old words\n");
    await succeed("debugfs", [
      "-R",
      `dump /gone ${bench.path("gone.out")}`,
      bench.path("snapshot.raw"),
    ]);
    expect(await bench.sha256("gone.out")).toBe(await bench.sha256("files/gone"));
  });

  it("changes in the snapshot too, which leaves the origin alone, and both survive a restart", async () => {
    copyFileSync(bench.path("before.raw"), bench.path("tried.raw"));
    bench.write("motd.tried", "other words\n");
    await change("tried.raw", "rm motd", `write ${bench.path("motd.tried")} motd`, "mkdir tried");
    const client = await stack.open("before");
    const images = ["before.raw", "tried.raw"].map((name) => readFileSync(bench.path(name)));
    const [before = Buffer.alloc(0), tried = Buffer.alloc(0)] = images;
    await replay(client, before, tried);
    client.close();
    expect(await stack.served.stop()).toBe(0);
    await stack.serve(WITH_SNAPSHOT);
    await succeed("nbdcopy", [stack.uriOf("before"), bench.path("snapshot.raw")]);
    await succeed("nbdcopy", [stack.uriOf("vm"), bench.path("vm.raw")]);
    await expectClean("snapshot.raw");
    expect(await cat("snapshot.raw", "/motd")).toBe("other words\n");
    expect(await bench.sha256("snapshot.raw")).toBe(await bench.sha256("tried.raw"));
    expect(await bench.sha256("vm.raw")).toBe(await bench.sha256("after.raw"));
  });
});
