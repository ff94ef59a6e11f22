import { equal } from "node:assert/strict";
import { truncateSync } from "node:fs";
import { eventually } from "../workbench.ts";
import { type AttachableServer, detach } from "./attachable-server.ts";
import { PARTITIONS, partitionTable } from "./partition-table.ts";
import { oneDisk } from "./place.ts";
import { reached } from "./progress.ts";
import type { Row } from "./row.ts";

const MIB = 1024 * 1024;
const DISK_MIB = 64;

/** Devices that come and go, whatever is done on them meanwhile. */
export const COMING_AND_GOING_ROWS: readonly Row[] = [
  {
    id: "K09a",
    says: "an export whose image was made longer has its new size when it is attached again",
    check: async (place) => {
      const { guest } = place;
      const server = await place.serve(oneDisk(DISK_MIB));
      const sizes: number[] = [];
      for (const mib of [DISK_MIB, 2 * DISK_MIB]) {
        truncateSync(place.bench.path("disk.img"), mib * MIB);
        await server.tells("disk", mib * MIB);
        await server.attach("disk", "nbd0");
        sizes.push(Number(await guest.succeed("blockdev --getsize64 /dev/nbd0")) / MIB);
        await detach(guest, "nbd0");
      }
      equal(sizes.join(), [DISK_MIB, 2 * DISK_MIB].join());
      await server.stop();
      return `${sizes.join(", then ")} MiB`;
    },
  },
  {
    id: "K09b",
    says: "partitions are found, by ioctl and by netlink",
    check: async (place) => {
      const { guest } = place;
      place.bench.write("disk.img", partitionTable(DISK_MIB * MIB));
      const server = await place.serve(oneDisk(DISK_MIB));
      for (const options of ["-nonetlink", ""]) {
        await server.attach("disk", "nbd0", { options });
        const sizes = await guest.succeed(`tenths=0
          # The device is opened once more, which is when older kernels look.
          : </dev/nbd0
          until test -e /sys/block/nbd0/nbd0p2 || test $((tenths += 1)) -gt 100; do sleep 0.1; done
          cat /sys/block/nbd0/nbd0p1/size /sys/block/nbd0/nbd0p2/size`);
        equal(sizes.replace(/\s+/g, " "), PARTITIONS.map(({ sectors }) => sectors).join(" "));
        await detach(guest, "nbd0");
      }
      await server.stop();
      return `${String(PARTITIONS.length)} partitions`;
    },
  },
  {
    id: "K09c",
    says: "a mounted filesystem is cut off under load: nobody hangs, the next one is served",
    check: async (place) => {
      const { guest } = place;
      const server = await place.serve(oneDisk(DISK_MIB));
      for (const options of ["-nonetlink", ""]) {
        await server.attach("disk", "nbd0", { options });
        await guest.succeed("mke2fs -q -F -t ext4 /dev/nbd0 && mount -t ext4 /dev/nbd0 /mnt");
        const load = guest.run(`for file in $(seq 10000); do
            dd if=/dev/urandom of=/mnt/$((file % 20)) bs=64k count=10 conv=fsync status=none || exit 7
            echo $file >/run/progress
          done`);
        await reached(guest, 5);
        await guest.succeed("nbd-client -d /dev/nbd0");
        equal((await load).status, 7);
        await guest.succeed("umount /mnt");
        await detach(guest, "nbd0");
        await server.attach("disk", "nbd0", { options });
        await guest.succeed("dd if=/dev/nbd0 of=/dev/null bs=1M count=8 iflag=direct");
        await detach(guest, "nbd0");
        await expectNobody(server);
      }
      await server.stop();
      return "I/O errors, and no connection is left";
    },
  },
  {
    id: "K09d",
    says: "the module is unloaded while its device is let go of under load, ten times",
    check: async (place) => {
      const { guest } = place;
      const server = await place.serve(oneDisk(DISK_MIB));
      for (let round = 0; round < 10; round += 1) {
        await server.attach("disk", "nbd0", { options: round % 2 === 0 ? "-nonetlink" : "" });
        await guest.succeed(`dd if=/dev/nbd0 of=/dev/null bs=64k iflag=direct status=none &
          sleep 0.2
          nbd-client -d /dev/nbd0 &
          until rmmod nbd 2>/dev/null; do sleep 0.05; done
          wait
          insmod /modules/nbd.ko max_part=8 nbds_max=4`);
      }
      await expectNobody(server);
      await server.stop();
      return "10 rounds";
    },
  },
];

/** What the kernel has let go of is gone for the server, too. */
async function expectNobody(server: AttachableServer): Promise<void> {
  await eventually(async () => {
    const there = (await server.metrics()).filter((line) =>
      line.startsWith("blkstack_connection_ios_total"),
    );
    equal(there.length, 0, there.join("\n"));
  });
}
