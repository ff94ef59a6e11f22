import { equal, ok } from "node:assert/strict";
import { createHash } from "node:crypto";
import { detach } from "./attachable-server.ts";
import { oneDisk } from "./place.ts";
import type { Row } from "./row.ts";

const MIB = 1024 * 1024;
const DISK_MIB = 64;

/** An export as a block device of a kernel. */
export const DEVICE_ROWS: readonly Row[] = [
  {
    id: "K01",
    says: "an export is attached over TCP, by ioctl and by netlink, in its size",
    check: async (place) => {
      const server = await place.serve(oneDisk(DISK_MIB));
      for (const options of ["-nonetlink", ""]) {
        await server.attach("disk", "nbd0", { options });
        const size = await place.guest.succeed("blockdev --getsize64 /dev/nbd0");
        equal(Number(size), DISK_MIB * MIB);
        await detach(place.guest, "nbd0");
      }
      await server.stop();
      return `${String(DISK_MIB)} MiB`;
    },
  },
  {
    id: "K02",
    says: "its queue has a write-back cache, FUA and discards",
    check: async (place) => {
      const server = await place.serve(oneDisk(DISK_MIB));
      await server.attach("disk", "nbd0");
      const attribute = (name: string): Promise<string> =>
        place.guest.succeed(`cat /sys/block/nbd0/queue/${name}`);
      const cache = await attribute("write_cache");
      const fua = await attribute("fua");
      equal(cache, "write back");
      equal(fua, "1");
      ok(Number(await attribute("discard_max_bytes")) > 0, "no discards");
      const blockBytes = await attribute("logical_block_size");
      await detach(place.guest, "nbd0");
      await server.stop();
      return `${cache}, fua ${fua}, blocks of ${blockBytes} bytes`;
    },
  },
  {
    id: "K03",
    says: "what is written past the page cache is read back, and is in the image",
    check: async (place) => {
      const { guest } = place;
      const server = await place.serve(oneDisk(DISK_MIB));
      await server.attach("disk", "nbd0");
      // The second half is written in single sectors' worth and out of step with pages.
      const sha256 = await guest
        .succeed(
          `set -e
        dd if=/dev/urandom of=/run/data bs=1M count=16
        dd if=/run/data of=/dev/nbd0 bs=256k oflag=direct
        dd if=/run/data of=/dev/nbd0 bs=1536 skip=6000 seek=6000 count=1000 oflag=direct conv=notrunc,fsync
        dd if=/dev/nbd0 bs=256k count=64 iflag=direct | cmp - /run/data
        sha256sum </run/data | cut -c1-64
        rm /run/data`,
        )
        .then(lastWord);
      equal(sha256OfBytes(place.file("disk.img").subarray(0, 16 * MIB)), sha256);
      await detach(guest, "nbd0");
      await server.stop();
      return "16 MiB the same";
    },
  },
  {
    id: "K07",
    says: "blkdiscard makes holes in the image, and blkdiscard -z zeroes",
    check: async (place) => {
      const { guest } = place;
      const server = await place.serve(oneDisk(DISK_MIB));
      await server.attach("disk", "nbd0");
      await guest.succeed("dd if=/dev/urandom of=/dev/nbd0 bs=1M count=48 oflag=direct");
      const full = place.allocatedMib("disk.img");
      ok(full >= 48, `${String(full)} MiB are allocated`);
      await guest.succeed("blkdiscard -o 16M -l 16M /dev/nbd0 && sync");
      const punched = place.allocatedMib("disk.img");
      ok(punched <= full - 15, `${String(punched)} MiB are allocated after the discard`);
      await guest.succeed("blkdiscard -z -o 32M -l 16M /dev/nbd0 && sync");
      const zeroed = place.allocatedMib("disk.img");
      const image = place.file("disk.img");
      ok(!isZero(image.subarray(0, 16 * MIB)), "more was thrown away than was asked for");
      ok(isZero(image.subarray(16 * MIB, 48 * MIB)), "what was zeroed is not zero");
      await detach(guest, "nbd0");
      await server.stop();
      return `${String(full)} MiB, ${String(punched)} after a discard, ${String(zeroed)} after zeroes`;
    },
  },
];

function sha256OfBytes(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function isZero(bytes: Buffer): boolean {
  return bytes.equals(Buffer.alloc(bytes.length));
}

function lastWord(output: string): string {
  return output.split(/\s+/).at(-1) ?? "";
}
