import { deepEqual } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Row } from "./row.ts";
import { runScript } from "./script-row.ts";

const STATES = [1, 2, 3];

/** A file system in three states, each with a file more than the one before. */
const MAKE_STATES = `
  nbdcopy "$U" image
  mke2fs -q -t ext4 -F fs 8M
  for state in ${STATES.join(" ")}; do
    head -c 700000 /dev/urandom >file$state
    debugfs -w -R "write file$state file$state" fs 2>/dev/null
    cp fs state$state
  done`;

/**
 * Writes each state, and a flush behind it, through QEMU's log of writes to the export. A state is one write, for
 * qemu-io also flushes when nobody has asked.
 */
const WRITE_STATES = `
  truncate -s 64M log
  set --
  for state in ${STATES.join(" ")}; do
    set -- "$@" -c "write -q -s state$state 0 8M" -c flush
  done
  disk=driver=blklogwrites,file.driver=nbd,file.server.type=unix,file.server.path="$S",file.export="$NAME"
  qemu-io --image-opts "$disk,log.driver=file,log.filename=$PWD/log" "$@"`;

/** Checks a copy of the image as it was at one flush: a sound file system, with the files of then. */
const CHECK_STATE = `
  cp --sparse=always image at
  "$BLKSTACK" log replay log at --to $ENTRIES
  e2fsck -fn at
  for file in $(seq "$STATE"); do
    debugfs -R "dump file$file back" at 2>/dev/null
    cmp "file$file" back
  done`;

/** A place in the log. */
interface Flush {
  /** How many entries there are up to it, with itself. */
  readonly entries: number;
  /** How many of them are writes. */
  readonly writes: number;
}

const FLUSH = 1n;

/** Where in a log there is a flush behind a write. The log has data behind each entry. */
function flushesOf(log: Buffer): Flush[] {
  const blockBytes = log.readUInt32LE(24);
  const flushes: Flush[] = [];
  let writes = 0;
  for (let at = blockBytes, entries = 1; entries <= log.readBigUInt64LE(16); entries += 1) {
    const blocks = Number(log.readBigUInt64LE(at + 8));
    if (blocks > 0) writes += 1;
    const isFlush = (log.readBigUInt64LE(at + 16) & FLUSH) !== 0n;
    if (isFlush && flushes.at(-1)?.writes !== writes) flushes.push({ entries, writes });
    at += (1 + blocks) * blockBytes;
  }
  return flushes;
}

/** A log of writes made by another program, above the server, and replayed by ours. */
export const REPLAY_ROWS: readonly Row[] = [
  {
    id: "W01",
    says: "blklogwrites: sound at each flush; the whole log makes what the export holds",
    needs: ["qemu-io", "nbdcopy", "mke2fs", "e2fsck", "debugfs"],
    check: async (target) => {
      const folder = target.makeFolder();
      await runScript(target, MAKE_STATES + WRITE_STATES, folder);
      const flushes = flushesOf(readFileSync(join(folder, "log")));
      deepEqual(
        flushes.map(({ writes }) => writes),
        STATES,
      );
      for (const { entries, writes } of flushes) {
        const place = `ENTRIES=${String(entries)} STATE=${String(writes)}\n`;
        await runScript(target, place + CHECK_STATE, folder);
      }
      const whole = '"$BLKSTACK" log replay log image; nbdcopy "$U" now; cmp image now';
      await runScript(target, whole, folder);
    },
  },
];
