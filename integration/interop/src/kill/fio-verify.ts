import { readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { run } from "../tools.ts";
import { eventually } from "../workbench.ts";

/** With one write at a time each, fio knows to the block what was answered; with more it guesses. */
const JOBS = 4;
/** A busy machine may need so long to start a process. */
const START_MS = 30_000;
/** Blocks that a job may get through; at this rate it does not, and is in the middle of them. */
const JOB_MIB = 16;
const WRITES_PER_SECOND = 1000;

/** What fio writes and verifies of one export, and keeps of it between the two. */
export class FioVerify {
  readonly #folder: string;
  readonly #uri: string;
  readonly #offsetBytes: number;

  constructor(folder: string, uri: string, offsetBytes: number) {
    this.#folder = folder;
    this.#uri = uri;
    this.#offsetBytes = offsetBytes;
  }

  /**
   * Writes, with flushes; so long after its beginning it notes what was answered, and kills the
   * process. Waits: until fio has ended.
   */
  async writeUntilKilled(round: number, pid: number, killAfterMs: number): Promise<void> {
    const [began, trigger] = [join(this.#folder, "began"), join(this.#folder, "trigger")];
    for (const file of [began, trigger]) rmSync(file, { force: true });
    const kill = ["--trigger-file=trigger", `--trigger=kill -9 ${String(pid)}`];
    const args = [`--rate_iops=${String(WRITES_PER_SECOND)}`, "--fsync=32", "--do_verify=0"];
    const how = [...kill, ...this.#job(round), ...args, "--exec_prerun=touch began"];
    const over = run("fio", how, { cwd: this.#folder });
    await eventually(() => {
      statSync(began);
    }, START_MS);
    await sleep(killAfterMs);
    writeFileSync(trigger, "");
    await over;
  }

  /** Reads all that had been answered. Answers how many bytes that was; throws when any is wrong. */
  async verify(round: number): Promise<number> {
    const states = readdirSync(this.#folder).filter((name) => name.endsWith("-verify.state"));
    if (states.length === 0) throw new Error("fio noted nothing of what was answered");
    const args = ["--verify_only=1", "--verify_state_load=1", "--verify_fatal=1"];
    const how = [...this.#job(round), ...args, "--output-format=json"];
    const { status, stdout, stderr } = await run("fio", how, { cwd: this.#folder });
    if (status !== 0) throw new Error(`fio finds what it did not write: ${stderr}${stdout}`);
    for (const name of states) rmSync(join(this.#folder, name));
    const { jobs } = JSON.parse(stdout.slice(stdout.indexOf("{"))) as {
      readonly jobs: readonly { readonly read: { readonly io_bytes: number } }[];
    };
    return jobs.reduce((sum, { read }) => sum + read.io_bytes, 0);
  }

  #job(round: number): string[] {
    return [
      "--name=w",
      "--ioengine=nbd",
      `--uri=${this.#uri}`,
      "--rw=randwrite",
      "--bs=4k",
      "--iodepth=1",
      `--numjobs=${String(JOBS)}`,
      `--offset=${String(this.#offsetBytes)}`,
      `--offset_increment=${String(JOB_MIB)}m`,
      `--size=${String(JOB_MIB)}m`,
      "--verify=crc32c",
      `--randseed=${String(round + 1)}`,
    ];
  }
}
