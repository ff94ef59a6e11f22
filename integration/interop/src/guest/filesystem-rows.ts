import { equal, ok } from "node:assert/strict";
import { run, succeed } from "../tools.ts";
import { detach } from "./attachable-server.ts";
import { oneDisk } from "./place.ts";
import type { Row } from "./row.ts";

const MIB = 1024 * 1024;
const DISK_MIB = 128;
const SLOW_MS = 300_000;

/** What many files need at once: they come, grow, move and go; four processes, each in a folder of its own. */
const WORK = `work() {
  mkdir /mnt/$1 && cd /mnt/$1
  for round in $(seq 40); do
    mkdir -p d$((round % 7))
    seq $round $((round * 40)) >d$((round % 7))/f$((round % 11))
    test $((round % 5)) -ne 0 || rm -rf d$(((round + 3) % 7))
    dd if=/dev/urandom of=new bs=7k count=$round status=none
    mv new big$((round % 9))
    ln -sf big$((round % 9)) link
    test $((round % 10)) -ne 0 || sync
  done
}
for who in a b c d; do work $who & done
wait`;

/** A filesystem of a kernel on an export. */
export const FILESYSTEM_ROWS: readonly Row[] = [
  {
    id: "K05",
    says: "ext4 is made, works, is unmounted and is clean, in the guest and in the image",
    check: async (place) => {
      const { guest } = place;
      const server = await place.serve(oneDisk(DISK_MIB));
      await server.attach("disk", "nbd0");
      await guest.succeed("mke2fs -q -t ext4 /dev/nbd0 && mount -t ext4 /dev/nbd0 /mnt");
      await guest.succeed(WORK, { timeoutMs: SLOW_MS });
      const sums = "cd /mnt && find . -type f | sort | xargs sha256sum";
      const before = await guest.succeed(sums);
      await guest.succeed("umount /mnt && e2fsck -fn /dev/nbd0", { timeoutMs: SLOW_MS });
      await guest.succeed("mount -t ext4 /dev/nbd0 /mnt");
      equal(await guest.succeed(sums), before);
      await guest.succeed("umount /mnt");
      await detach(guest, "nbd0");
      await server.stop();
      const { status, stdout } = await run("e2fsck", ["-fn", place.bench.path("disk.img")]);
      equal(status, 0, stdout);
      return `${String(before.split("\n").length)} files, e2fsck has nothing to complain of`;
    },
  },
  {
    id: "K07b",
    says: "fstrim makes holes in the image where files were",
    check: async (place) => {
      const { guest } = place;
      const server = await place.serve(oneDisk(DISK_MIB));
      await server.attach("disk", "nbd0");
      await guest.succeed(`set -e
        mke2fs -q -t ext4 /dev/nbd0
        mount -t ext4 /dev/nbd0 /mnt
        dd if=/dev/urandom of=/mnt/kept bs=1M count=8
        dd if=/dev/urandom of=/mnt/big bs=1M count=48
        sync`);
      const full = place.allocatedMib("disk.img");
      ok(full >= 56, `${String(full)} MiB are allocated`);
      const told = await guest.succeed("rm /mnt/big && sync && fstrim -v /mnt && umount /mnt");
      await detach(guest, "nbd0");
      const trimmed = place.allocatedMib("disk.img");
      ok(trimmed <= full - 47, `${String(trimmed)} MiB of ${String(full)} are allocated: ${told}`);
      const holes = await holesMib(server.served.uris[0] ?? "");
      ok(holes >= DISK_MIB - trimmed - 1, `nbdinfo knows of ${String(holes)} MiB of holes`);
      await server.stop();
      return `${String(full)} MiB before, ${String(trimmed)} after; nbdinfo: ${String(holes)} MiB of holes`;
    },
  },
];

interface MapEntry {
  readonly length: number;
  readonly type: number;
}

/** How much of an export clients are told to be a hole. */
async function holesMib(uri: string): Promise<number> {
  const map = JSON.parse(await succeed("nbdinfo", ["--map", "--json", uri])) as MapEntry[];
  const holes = map.filter(({ type }) => (type & 1) !== 0);
  return Math.round(holes.reduce((bytes, { length }) => bytes + length, 0) / MIB);
}
