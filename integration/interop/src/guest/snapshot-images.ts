import { createHash } from "node:crypto";
import { copyFileSync } from "node:fs";
import type { BlockClient } from "../block-client.ts";
import { Errno } from "../raw-protocol.ts";
import { eventually } from "../workbench.ts";
import { type AttachableServer, detach } from "./attachable-server.ts";
import type { Place } from "./place.ts";

const ORIGIN_BYTES = 16 * 1024 * 1024;
const ORIGIN_SECTORS = String(ORIGIN_BYTES / 512);
const STORE_SIZE = "24MiB";
const CHUNK_SECTORS = "8";
const MERGE_MS = 60_000;
const RAW_READ = "dd if=/dev/mapper/snap bs=1M status=none | sha256sum | cut -c1-64";

/**
 * An origin and the store of a snapshot of it: two images that either this project or the kernel of the
 * guest may write, look at and merge. What is looked at is told as the SHA-256 of all of it.
 */
export class SnapshotImages {
  readonly #place: Place;
  readonly #name: string;

  private constructor(place: Place, name: string) {
    this.#place = place;
    this.#name = name;
  }

  /** An origin that differs in every sector, and no store yet. */
  static make(place: Place, name: string): SnapshotImages {
    const images = new SnapshotImages(place, name);
    place.bench.writePattern(images.origin, ORIGIN_BYTES);
    return images;
  }

  get origin(): string {
    return `${this.#name}.img`;
  }

  get store(): string {
    return `${this.#name}.cow`;
  }

  copy(name: string): SnapshotImages {
    const copy = new SnapshotImages(this.#place, name);
    const { bench } = this.#place;
    copyFileSync(bench.path(this.origin), bench.path(copy.origin));
    copyFileSync(bench.path(this.store), bench.path(copy.store));
    return copy;
  }

  originSum(): Promise<string> {
    return this.#place.bench.sha256(this.origin);
  }

  /** Writes to the origin and to the snapshot, whole chunks and parts of some; answers the snapshot. */
  async writtenByUs(): Promise<string> {
    const server = await this.#serve([
      `vm: 0 ${ORIGIN_SECTORS} snapshot-origin base`,
      `before: 0 ${ORIGIN_SECTORS} snapshot base cow P ${CHUNK_SECTORS}`,
    ]);
    await scatter(await server.open("vm"), { writes: 600, stride: 37, value: 1 });
    await scatter(await server.open("before"), { writes: 200, stride: 53, value: 2 });
    const seen = sha256Of(await server.read("before", ORIGIN_BYTES));
    await server.stop();
    return seen;
  }

  /** The same by the kernel. */
  async writtenByKernel(): Promise<string> {
    const { guest } = this.#place;
    return this.#attached(async () => {
      const untouched = await guest.succeed(`set -e
        dmsetup create base --table '0 ${ORIGIN_SECTORS} snapshot-origin /dev/nbd0'
        dmsetup suspend base
        dmsetup create snap --table '0 ${ORIGIN_SECTORS} snapshot /dev/nbd0 /dev/nbd1 P ${CHUNK_SECTORS}'
        dmsetup resume base
        dd if=/dev/urandom of=/dev/mapper/base bs=4k count=600 seek=100 oflag=direct status=none
        dd if=/dev/urandom of=/dev/mapper/base bs=512 count=50 seek=20001 oflag=direct status=none
        ${RAW_READ}`);
      const { bench } = this.#place;
      bench.writePattern("pattern", ORIGIN_BYTES);
      const pattern = await bench.sha256("pattern");
      if (untouched !== pattern) throw new Error("the kernel's snapshot changed with its origin");
      return guest.succeed(`set -e
        dd if=/dev/urandom of=/dev/mapper/snap bs=512 count=40 seek=10007 oflag=direct status=none
        dd if=/dev/urandom of=/dev/mapper/snap bs=64k count=20 seek=30 oflag=direct status=none
        ${RAW_READ}
        dmsetup remove snap
        dmsetup remove base`);
    });
  }

  /** The snapshot as this project shows it. */
  async seenByUs(): Promise<string> {
    const server = await this.#serve([
      `before: 0 ${ORIGIN_SECTORS} snapshot base cow P ${CHUNK_SECTORS}`,
    ]);
    const seen = sha256Of(await server.read("before", ORIGIN_BYTES));
    await server.stop();
    return seen;
  }

  /** The snapshot as the kernel shows it. */
  seenByKernel(): Promise<string> {
    const table = `0 ${ORIGIN_SECTORS} snapshot /dev/nbd0 /dev/nbd1 P ${CHUNK_SECTORS}`;
    return this.#attached(() =>
      this.#place.guest.succeed(`set -e
        dmsetup create snap --table '${table}'
        ${RAW_READ}
        dmsetup remove snap`),
    );
  }

  async mergedByUs(): Promise<string> {
    const server = await this.#serve([
      `vm: 0 ${ORIGIN_SECTORS} snapshot-merge base cow P ${CHUNK_SECTORS}`,
    ]);
    await eventually(() => {
      if (!server.served.stderr.includes("the merge has ended")) throw new Error("still merging");
    }, MERGE_MS);
    await server.stop();
    return this.originSum();
  }

  async mergedByKernel(): Promise<string> {
    const table = `0 ${ORIGIN_SECTORS} snapshot-merge /dev/nbd0 /dev/nbd1 P ${CHUNK_SECTORS}`;
    // A merge is over when nothing but metadata is used: "0 SIZE snapshot-merge 16/49152 16".
    await this.#attached(() =>
      this.#place.guest.succeed(
        `dmsetup create merge --table '${table}' || exit 1
        until dmsetup status merge | grep -q ' \\([0-9]*\\)/[0-9]* \\1$'; do sleep 0.2; done
        dmsetup remove merge`,
        { timeoutMs: MERGE_MS },
      ),
    );
    return this.originSum();
  }

  /** Has the guest work on both images, `/dev/nbd0` and `/dev/nbd1`, as they are. */
  async #attached(work: () => Promise<string>): Promise<string> {
    const { guest } = this.#place;
    const server = await this.#serve([]);
    await server.attach("base", "nbd0");
    await server.attach("cow", "nbd1");
    const answer = await work();
    await guest.succeed("sync");
    await detach(guest, "nbd1");
    await detach(guest, "nbd0");
    await server.stop();
    return answer;
  }

  #serve(devices: readonly string[]): Promise<AttachableServer> {
    const names = devices.map((device) => device.slice(0, device.indexOf(":")));
    const lines = [
      "disks:",
      `  base: { file: ./${this.origin} }`,
      `  cow: { file: ./${this.store}, size: ${STORE_SIZE}, create: true }`,
      ...(devices.length === 0 ? [] : ["devices:"]),
      ...devices.map((device) => `  ${device}`),
      "exports:",
      ...(names.length === 0 ? ["base", "cow"] : names).map(
        (name) => `  ${name}: { device: ${name} }`,
      ),
    ];
    return this.#place.serve(`${lines.join("\n")}\n`);
  }
}

interface Scatter {
  readonly writes: number;
  readonly stride: number;
  readonly value: number;
}

/** Writes of 512 bytes to 64 KiB, of which many touch what another has written. */
async function scatter(client: BlockClient, { writes, stride, value }: Scatter): Promise<void> {
  for (let write = 0; write < writes; write += 1) {
    const length = 512 << (write % 8);
    const offset = ((write * stride * 1536) % (ORIGIN_BYTES - length)) & ~511;
    const bytes = Buffer.alloc(length, `${String(value)} ${String(write)} `);
    const answer = await client.write(offset, bytes);
    if (answer?.errno !== Errno.Ok) throw new Error(`a write ended with ${String(answer?.errno)}`);
  }
  await client.flush();
  client.close();
}

function sha256Of(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}
