// A snapshot is taken of a disk that qemu has in use: the server is started again, and qemu waits.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { BlockClient } from "../src/block-client.ts";
import { ServedStack } from "../src/served-stack.ts";
import { originStack, snapshotStack } from "../src/snapshot-stack.ts";
import { isMissing } from "../src/tools.ts";
import { eventually } from "../src/workbench.ts";

const BLOCK = 4096;
const BLOCKS = 512;
const ORIGIN = originStack(2);
const WITH_SNAPSHOT = snapshotStack({ originMib: 2, storeMib: 4, chunkSectors: 8 });

const stack = new ServedStack();
const { bench } = stack;
const undo: (() => unknown)[] = [];

afterAll(async () => {
  for (const each of undo.reverse()) await each();
  await stack.clear();
});

/** Has qemu's block layer use the export as a guest's disk, and answers a way to write to it. */
async function startGuest(): Promise<BlockClient> {
  const disk = `driver=nbd,server.type=unix,server.path=${stack.socket},export=vm`;
  const options = ["--image-opts", `${disk},reconnect-delay=60`];
  const socket = bench.path("guest.sock");
  const guest = spawn("qemu-nbd", ["-k", socket, "-x", "guest", "-t", "--cache=none", ...options], {
    stdio: "ignore",
  });
  undo.push(() => guest.kill("SIGKILL"));
  await eventually(() => {
    expect(existsSync(socket)).toBe(true);
  });
  const client = await BlockClient.open(socket, "guest");
  undo.push(() => {
    client.close();
  });
  return client;
}

const blockOf = (value: number): Buffer => Buffer.alloc(BLOCK, value);

describe.skipIf(isMissing("qemu-nbd"))("a guest", () => {
  it("goes on writing while a snapshot is taken, which has all that came before and nothing later", async () => {
    await stack.serve(ORIGIN);
    const guest = await startGuest();
    const write = async (from: number, to: number, value: number): Promise<void> => {
      for (let block = from; block < to; block += 1) {
        expect((await guest.write(block * BLOCK, blockOf(value)))?.errno).toBe(0);
      }
    };
    await write(0, BLOCKS, 1);
    await guest.flush();
    const writing = write(0, BLOCKS, 2);
    await stack.served.stop();
    await stack.serve(WITH_SNAPSHOT);
    await writing;
    const last = await guest.read(0, BLOCKS * BLOCK);
    expect(last?.bytes.equals(Buffer.alloc(BLOCKS * BLOCK, 2))).toBe(true);
    const before = await stack.open("before");
    const seen = (await before.read(0, BLOCKS * BLOCK))?.bytes ?? Buffer.alloc(0);
    before.close();
    // One write came after the other, so up to some block there is the new and from there on the old.
    const firstOld = seen.indexOf(1) / BLOCK;
    expect(firstOld).toBeGreaterThanOrEqual(0);
    const expected = Buffer.alloc(BLOCKS * BLOCK, 1).fill(2, 0, firstOld * BLOCK);
    expect(seen.equals(expected)).toBe(true);
  });
});
