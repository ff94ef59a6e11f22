import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, expect, it } from "vitest";
import { run, start, temporaryFolder } from "./cli.ts";

/** What the tests use in place of a client and of a checker: they know the protocol, and dd. */
const CLIENT = fileURLToPath(new URL("block-client.mjs", import.meta.url));

const STACK = `disks:
  disk: { file: ./disk.img, size: 64KiB, create: true }
  log: { file: ./writes.log, size: 4MiB, create: true }
devices:
  logged: 0 128 log-writes disk log
  forgetful: 0 128 flakey logged 0 0 1 1 drop_writes
exports:
  logged: { device: logged }
  forgetful: { device: forgetful }
`;

/** Two numbers, each in a sector; the second is never written before the first is durable. */
const IN_ORDER = "write 0 1; flush; write 1 1; flush; write 0 2; flush; write 1 2; flush";
const OUT_OF_ORDER = "write 0 1; flush; write 1 1; flush; write 0 2; write 1 2; flush";

/** The second number is never ahead of the first. */
const CHECK = byteCheck('test "$second" -le "$first"');

function byteCheck(test: string): string {
  const byte = (at: number): string => `$(od -An -tu1 -j${String(at)} -N1 "$image")`;
  return `first=${byte(0)}; second=${byte(512)}; ${test} || { echo first $first second $second; exit 1; }`;
}

function workload(commands: string): string {
  return `${process.execPath} ${CLIENT} "$unixsocket" "$exportname" "$control" "$device" "${commands}"`;
}

let cwd: string;
beforeEach(async () => {
  cwd = await temporaryFolder();
  await writeFile(join(cwd, "s.yaml"), STACK);
});

const ENV = { PATH: process.env["PATH"] ?? "" };

/** Each time on a new disk. */
async function crash(...args: readonly string[]): Promise<Awaited<ReturnType<typeof run>>> {
  await rm(join(cwd, "disk.img"), { force: true });
  return run(["crash", ...args], { cwd, env: ENV });
}

function crashed(commands: string, ...args: readonly string[]): ReturnType<typeof crash> {
  return crash("s.yaml", "--workload", workload(commands), "--check", CHECK, ...args);
}

it("a workload that flushes between what depends on one another survives every power cut", async () => {
  const { status, stdout, stderr } = await crashed(IN_ORDER, "--jobs", "2");
  expect({ status, stdout, stderr }).toEqual({
    status: 0,
    stderr: "",
    stdout: [
      "log            ./writes.log: 5 points",
      "checked        5 states at 5 points",
      "at once loose  1 writes at most",
      "model          a write is there or not, seed 0",
      "found          nothing",
      "",
    ].join("\n"),
  });
});

it("without a flush in between the later write may be there alone, and that is told and repeated", async () => {
  const { status, stdout } = await crashed(OUT_OF_ORDER, "--keep", "kept");
  expect(status).toBe(1);
  const at = stdout.indexOf("the power is cut");
  const again = "blkstack crash --replay kept/writes.log --base kept/base.img --point 4 --lost 5";
  expect(stdout.slice(at)).toBe(
    [
      "the power is cut after entry 4",
      "lost: 1 of 2 loose writes",
      "  entry 5: write of sectors 0+1",
      "the check ended with 1:",
      "  first 1 second 2",
      "kept: kept/crash.img",
      `again: ${again} --check '${CHECK}'`,
      "",
    ].join("\n"),
  );
  const left = await readFile(join(cwd, "kept/crash.img"));
  expect([left[0], left[512], left.length]).toEqual([1, 2, 65_536]);
  const [, , ...words] = again.split(" ");
  expect((await crash(...words, "--check", CHECK)).status).toBe(1);
  const others = words.with(-1, "6");
  expect((await crash(...others, "--check", CHECK)).status).toBe(0);
  expect((await readdir(cwd)).sort()).toEqual(["kept", "s.yaml", "writes.log"]);
});

it("--json has the same", async () => {
  const { status, stdout } = await crashed(OUT_OF_ORDER, "--json", "--seed", "7");
  expect(status).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({
    log: "./writes.log",
    points: 4,
    torn: false,
    ignoreFlushes: false,
    seed: 7,
    failure: {
      point: 4,
      mark: null,
      loose: 2,
      lost: [{ entry: 5, sectors: ["0+1"] }],
      replay: "5",
      status: 1,
      timedOut: false,
      output: "first 1 second 2\n",
      kept: null,
    },
  });
});

it("on a disk that ignores flushes the right order is of no use", async () => {
  const { status, stdout } = await crashed(IN_ORDER, "--ignore-flushes");
  expect(status).toBe(1);
  expect(stdout).toContain("lost: 1 of 2 loose writes\n  entry 1: write of sectors 0+1\n");
});

it("what was promised by a mark is checked from the mark on", async () => {
  const check = byteCheck('test "$first" -ge "${mark:-0}"');
  const flushed = "write 0 1; flush; mark 1; write 0 2; flush; mark 2";
  const early = "write 0 1; flush; mark 1; write 0 2; mark 2; flush";
  const args = (commands: string): string[] => ["s.yaml", "--workload", workload(commands)];
  expect((await crash(...args(flushed), "--check", check)).status).toBe(0);
  const { status, stdout } = await crash(...args(early), "--check", check);
  expect(status).toBe(1);
  expect(stdout).toContain('marked "2"\nlost: 1 of 1 loose writes\n');
});

it("with --marks each line of the workload is a mark", async () => {
  const check = byteCheck('test "$first" -ge "${mark#acked }"');
  const commands = `echo acked 0; ${workload("write 0 1; flush")} && echo acked 1`;
  const { status, stdout } = await crash(
    "s.yaml",
    "--marks",
    "--workload",
    commands,
    "--check",
    check,
    "--json",
  );
  expect(status).toBe(0);
  const { checked } = JSON.parse(stdout) as { checked: { mark: string }[] };
  expect(checked.map(({ mark }) => mark)).toEqual(["acked 0", "acked 1"]);
});

it("what drop_writes forgets is missing although nothing is lost", async () => {
  const check = byteCheck('test "$first" -ge "${mark:-0}"');
  const { status, stdout } = await crash(
    ...["s.yaml", "--export", "forgetful"],
    ...["--workload", workload("write 0 1; flush; mark 1"), "--check", check],
  );
  expect(status).toBe(1);
  expect(stdout).toContain("lost: 0 of 0 loose writes\n");
});

it("a check may write to the image, shorten it or remove it: the next one has it as it should be", async () => {
  const bad = ['printf X | dd of="$image" conv=notrunc', ': >"$image"', 'rm "$image"'];
  for (const [at, spoil] of bad.entries()) {
    const check = `${CHECK}; test "$(stat -c %s "$image")" = 65536 || exit 1; ${spoil} 2>&1`;
    const seed = String(at);
    const { status, stdout } = await crash(
      ...["s.yaml", "--jobs", "1", "--seed", seed],
      ...["--workload", workload(IN_ORDER), "--check", check],
    );
    expect([status, stdout]).toEqual([0, expect.stringContaining("5 states at 5 points")]);
  }
});

it("a check may use the NBD export, and what it writes there is gone with it", async () => {
  const commands = "must 1 0; write 1 9; flush";
  const check = `${process.execPath} ${CLIENT} "$unixsocket" "" "" "" "${commands}"`;
  const work = workload("write 0 1; flush; write 0 2; flush");
  const { status, stdout } = await crash(
    "s.yaml",
    "--jobs",
    "1",
    "--workload",
    work,
    "--check",
    check,
  );
  expect([status, stdout]).toEqual([0, expect.stringContaining("3 states at 3 points")]);
});

it("a write of several sectors is lost in parts when it may be torn", async () => {
  const check = byteCheck('test "$first" = "$second"');
  const work = workload("fill 0 2 1; flush");
  const args = ["s.yaml", "--workload", work, "--check", check];
  expect((await crash(...args)).status).toBe(0);
  const { status, stdout } = await crash(...args, "--torn");
  expect(status).toBe(1);
  expect(stdout).toContain("  entry 1: write of sectors 1+1 of 0+2\n");
});

it("a check that hangs is stopped, and what it hangs at is told as a state that is not well", async () => {
  const check = 'test "$lost" = 0 || { echo looking; sleep 600; }';
  const args = ["--workload", workload("write 0 1; flush"), "--check", check];
  const { status, stdout } = await crash(
    "s.yaml",
    ...args,
    "--check-seconds",
    "1",
    "--keep",
    "kept",
  );
  expect(status).toBe(1);
  expect(stdout).toContain(
    "lost: 1 of 1 loose writes\n" +
      "  entry 1: write of sectors 0+1\n" +
      "the check had not ended after 1 s, and was stopped:\n" +
      "  looking\n",
  );
  expect(stdout).toContain(" --lost 1 --check-seconds 1 --check ");
  const json = await crash("s.yaml", ...args, "--check-seconds", "1", "--json");
  expect(JSON.parse(json.stdout)).toMatchObject({
    failure: { timedOut: true, output: "looking\n" },
  });
});

it("somebody who stops it hears how far it was", async () => {
  const args = ["s.yaml", "--workload", workload(IN_ORDER), "--check", "echo; sleep 600"];
  const running = start(["crash", ...args], { cwd, env: ENV });
  setTimeout(() => {
    running.stop();
  }, 1500);
  const { status, stderr } = await running.finished;
  expect(status).toBe(2);
  expect(stderr).toMatch(/^blkstack: stopped (after 0 states|before the workload had ended)\n$/);
});

it.each<[what: string, args: string[], complaint: string]>([
  [
    "nothing to record",
    [],
    "nothing to record; give a stack file and --workload, or --replay and a log",
  ],
  [
    "no check",
    ["s.yaml", "--workload", "true"],
    "give --check, or --keep and a folder for what is recorded",
  ],
  [
    "a replay without a base",
    ["--replay", "x", "--check", "true"],
    "--replay needs --base, the disk as it was before",
  ],
  [
    "a lost write without a point",
    ["s.yaml", "--workload", "true", "--check", "true", "--lost", "1"],
    "--lost says what is lost at a --point",
  ],
  [
    "no such export",
    ["s.yaml", "--export", "none", "--workload", "true", "--check", "true"],
    "--export none: the stack has no such export",
  ],
  [
    "no such device",
    ["s.yaml", "--log", "none", "--workload", "true", "--check", "true"],
    "--log none: there is no log-writes device of that name, but logged",
  ],
  [
    "a workload that fails",
    ["s.yaml", "--workload", "exit 3", "--check", "true"],
    "the workload ended with 3; nothing was checked",
  ],
  [
    "a check that is not there",
    ["s.yaml", "--workload", workload("write 0 1; flush"), "--check", "./none 2>/dev/null"],
    "the check cannot be run: ",
  ],
  [
    "points that are no number",
    ["s.yaml", "--points", "few"],
    "--points few: it should be a whole number from 1 on",
  ],
])("%s is refused in one line", async (_what, args, complaint) => {
  const { status, stdout, stderr } = await crash(...args);
  expect({ status, stdout, stderr }).toEqual({
    status: 2,
    stdout: "",
    stderr: `blkstack: ${complaint.trim()}\n`,
  });
});

it("a base that is smaller than the disk of the log was is refused", async () => {
  await crashed("write 100 1; flush", "--keep", "kept");
  await writeFile(join(cwd, "small.img"), Buffer.alloc(50 * 512));
  const replay = ["--replay", "kept/writes.log", "--base", "small.img", "--check", "true"];
  const { status, stderr } = await crash(...replay);
  expect([status, stderr]).toEqual([
    2,
    "blkstack: entry 1 of the log is for sectors 100+1, and the base has 50\n",
  ]);
});

it("a log that was too small for its workload is not taken for all of it", async () => {
  await writeFile(join(cwd, "s.yaml"), STACK.replace("4MiB", "4KiB"));
  const { status, stderr } = await crashed(IN_ORDER);
  expect(status).toBe(2);
  expect(stderr).toContain(
    "blkstack: the log does not have all that was written: make its disk larger\n",
  );
});
