import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { GoldenDisk } from "./case-file.ts";
import { fillPattern } from "./pattern.ts";

const SECTOR_BYTES = 512;
const unzip = promisify(gunzip);

/** What a disk holds before the first boot: its image, or what `init` describes. */
export async function initialContent(directory: string, disk: GoldenDisk): Promise<Uint8Array> {
  if (disk.before !== undefined) return recordedImage(directory, disk.before);
  const bytes = new Uint8Array(disk.sectors * SECTOR_BYTES);
  for (const entry of disk.init) {
    if (entry[0] === "bytes") {
      bytes.set(Buffer.from(entry[2], "hex"), entry[1]);
    } else if (entry[0] === "copy") {
      bytes.set(await readImage(path.join(directory, "..", entry[1], entry[2])));
    } else {
      const [sector, sectors, content] = entry;
      const part = bytes.subarray(sector * SECTOR_BYTES, (sector + sectors) * SECTOR_BYTES);
      if (typeof content === "number") fillPattern(part, sector, content);
      else part.fill(Number.parseInt(content.slice(1), 16));
    }
  }
  return bytes;
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** An image that was recorded with a case. */
export function recordedImage(directory: string, file: string): Promise<Uint8Array> {
  return readImage(path.join(directory, file));
}

async function readImage(file: string): Promise<Uint8Array> {
  return unzip(await readFile(file));
}
