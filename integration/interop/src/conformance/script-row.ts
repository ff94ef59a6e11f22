import { doesNotMatch, equal } from "node:assert/strict";
import { BLKSTACK } from "../served.ts";
import { run, type Tool } from "../tools.ts";
import type { Row } from "./row.ts";
import type { Target } from "./target.ts";

/** What scripts begin with: `ends STATUS COMMAND…` is for commands that are to fail. */
const BEGIN = `set -eu
ends() { want=$1; shift; got=0; "$@" || got=$?; [ "$got" -eq "$want" ]; }
`;
const TIMEOUT_MS = 60_000;
/** How much of what a script that failed had to say is told. */
const TOLD_LENGTH = 300;

export interface Script {
  readonly id: string;
  readonly says: string;
  readonly needs: readonly Tool[];
  /**
   * What a shell runs. It knows the addresses of the image and of the read-only one as `$U` and
   * `$UR`, the socket and the name of the first as `$S` and `$NAME`, and begins in an empty folder.
   */
  readonly script: string;
  /** Throws when the script has printed something wrong. */
  readonly look?: (printed: string) => void;
}

/** For scripts with `qemu-io`: not every version ends with 1 when a pattern is not found. */
export function nothingFailed(printed: string): void {
  doesNotMatch(printed, /failed|error/i);
}

/** A row of what a standard client does, in the words of its user: the script must succeed. */
export function scripted({ id, says, needs, script, look }: Script): Row {
  return {
    id,
    says,
    needs,
    check: async (target) => {
      const printed = await runScript(target, script);
      look?.(printed);
    },
  };
}

/** Runs a script of the shell, which must succeed, and answers what it has printed. */
export function runScript(
  target: Target,
  script: string,
  cwd: string = target.makeFolder(),
): Promise<string> {
  return succeedIn(target, cwd, ["sh", "-c", BEGIN + script]);
}

/** A row of what `nbdsh` does; the handle is `h`, the address `U`. */
export function nbdshRow(id: string, says: string, ...lines: readonly string[]): Row {
  const script = ["import os", 'U = os.environ["U"]', ...lines].join("\n");
  return {
    id,
    says,
    needs: ["nbdsh"],
    check: async (target) => {
      await succeedIn(target, target.makeFolder(), ["nbdsh", "-c", script]);
    },
  };
}

async function succeedIn(
  target: Target,
  cwd: string,
  [command = "", ...args]: readonly string[],
): Promise<string> {
  const env = {
    // The `nbdsh` of a distribution needs the `python3` of it, whichever else there may be.
    PATH: `/usr/bin:${process.env["PATH"] ?? ""}`,
    U: target.uri("disk"),
    UR: target.uri("kept"),
    S: target.socket("disk"),
    NAME: target.make.exportName,
    BLKSTACK,
  };
  const { status, stdout, stderr } = await run(command, args, { cwd, env, timeoutMs: TIMEOUT_MS });
  equal(
    status,
    0,
    `ends with ${String(status)}: ${`${stdout}${stderr}`.trim().slice(-TOLD_LENGTH)}`,
  );
  return stdout;
}
