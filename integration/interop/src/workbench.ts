import { createHash } from "node:crypto";
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

/** A folder of its own for one suite. */
export class Workbench {
  readonly folder: string = mkdtempSync(join(tmpdir(), "blkstack-interop-"));

  path(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, content: string | Uint8Array): string {
    writeFileSync(this.path(name), content);
    return this.path(name);
  }

  /** Makes a file that differs in every sector. */
  writePattern(name: string, sizeBytes: number): string {
    const bytes = Buffer.alloc(sizeBytes);
    for (let at = 0; at < sizeBytes; at += 4) {
      bytes.writeUInt32LE((at * 2_654_435_761 + (at >>> 9)) >>> 0, at);
    }
    return this.write(name, bytes);
  }

  async sha256(name: string): Promise<string> {
    const hash = createHash("sha256");
    await pipeline(createReadStream(this.path(name)), hash);
    return hash.digest("hex");
  }

  clear(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Calls `check` until it no longer throws, for at most `timeoutMs`. */
export async function eventually(
  check: () => void | Promise<void>,
  timeoutMs = 5000,
): Promise<void> {
  const endMs = Date.now() + timeoutMs;
  for (;;) {
    try {
      await check();
      return;
    } catch (error) {
      if (Date.now() > endMs) throw error;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
