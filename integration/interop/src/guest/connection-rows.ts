import { equal, match } from "node:assert/strict";
import { detach } from "./attachable-server.ts";
import { oneDisk } from "./place.ts";
import { reached } from "./progress.ts";
import type { Row } from "./row.ts";

const MIB = 1024 * 1024;
const DISK_MIB = 64;
const CONNECTIONS = 4;
const SLOW_MS = 300_000;
/** So many blocks are durable when the server is killed. */
const BLOCKS = 60;

/** A block after the other, each durable before the next, while others write elsewhere: until one fails. */
const LOAD = `rm -f /run/failed /run/progress /run/expected
for at in 16 32; do
  while test ! -e /run/failed; do
    dd if=/dev/urandom of=/dev/nbd0 bs=64k seek=$((at * 16)) count=100 oflag=direct status=none || break
  done &
done
block=0
while test $block -lt 4096; do
  yes "block $block" | head -c 4096 >/run/block
  dd if=/run/block of=/dev/nbd0 bs=4k seek=$block oflag=direct conv=notrunc,fsync status=none || break
  cat /run/block >>/run/expected
  block=$((block + 1))
  echo $block >/run/progress
done
touch /run/failed
wait`;

/** Several connections to one export, and some that are lost. */
export const CONNECTION_ROWS: readonly Row[] = [
  {
    id: "K06",
    says: "four connections are one disk, and each carries a part of the load",
    check: async (place) => {
      const { guest } = place;
      const server = await place.serve(oneDisk(DISK_MIB));
      await server.attach("disk", "nbd0", { options: `-C ${String(CONNECTIONS)}` });
      await guest.succeed(`set -e
        dd if=/dev/urandom of=/run/data bs=1M count=32 status=none
        for cpu in 0 1 2 3; do
          taskset $((1 << cpu)) dd if=/run/data of=/dev/nbd0 bs=64k skip=$((cpu * 128)) seek=$((cpu * 128)) \\
            count=128 oflag=direct conv=notrunc,fsync status=none &
        done
        wait
        for cpu in 0 1 2 3; do
          taskset $((1 << ((cpu + 1) % 4))) dd if=/dev/nbd0 bs=64k skip=$((cpu * 128)) count=128 iflag=direct status=none
        done | cmp - /run/data`);
      const metrics = await server.metrics();
      const written = metrics
        .filter((line) => /^blkstack_connection_bytes_total.*op="write"/.test(line))
        .map((line) => Number(line.split(" ").at(-1)));
      const used = written.filter((bytes) => bytes > 0).length;
      equal(used, CONNECTIONS, `bytes written by each: ${written.join(", ")}`);
      const sum = await guest.succeed("sha256sum </run/data | cut -c1-64; rm /run/data");
      place.bench.write("data", place.file("disk.img").subarray(0, 32 * MIB));
      equal(await place.bench.sha256("data"), sum);
      await detach(guest, "nbd0");
      await server.stop();
      return `${written.map((bytes) => (bytes / MIB).toFixed(0)).join(", ")} MiB written by each`;
    },
  },
  {
    id: "K08",
    says: "a server is killed under load: I/O errors, nobody hangs, and behind the next one all is there",
    check: async (place) => {
      const { guest } = place;
      const acknowledged: number[] = [];
      // A connection whose end gets lost on its way is found out by the timeout.
      for (const options of ["-timeout 20 -nonetlink", "-timeout 20"]) {
        const server = await place.serve(oneDisk(DISK_MIB));
        await server.attach("disk", "nbd0", { options });
        const load = guest.run(LOAD, { timeoutMs: SLOW_MS });
        await reached(guest, BLOCKS);
        await server.served.stop("SIGKILL");
        match((await load).output, /Input\/output error/);
        await detach(guest, "nbd0");
        const next = await place.serve(oneDisk(DISK_MIB));
        await next.attach("disk", "nbd0", { options });
        const blocks = await guest.succeed("cat /run/progress");
        const read = `dd if=/dev/nbd0 bs=4k count=${blocks} iflag=direct status=none`;
        await guest.succeed(`${read} | cmp - /run/expected`);
        await detach(guest, "nbd0");
        await next.stop();
        acknowledged.push(Number(blocks));
      }
      return `${acknowledged.join(" and ")} blocks were acknowledged, and are there`;
    },
  },
];
