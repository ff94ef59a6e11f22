import { ended } from "@blkstack/block/testing";
import { BioOp, BioStatus } from "@blkstack/bio";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { EventLoopScheduler } from "@blkstack/task/node";
import { describe, expect, it } from "vitest";
import { makeBio } from "../../test/disk-bios.ts";
import { u32 } from "../../test/raw-client.ts";
import { scripted } from "../../test/scripted-server.ts";
import { NbdDisk, type NbdDiskOptions } from "../index.ts";
import { SilenceWatch } from "./silence.ts";

const { Ok, IoError } = BioStatus;
const LIMIT_MS = 1000;

/** A watch of one connection, in virtual time. */
function watch() {
  const scheduler = new VirtualScheduler({ startMs: 0 });
  const noticed: number[] = [];
  const speaker = { inFlight: 0, hasSpoken: false };
  const silence = new SilenceWatch("silence", scheduler, LIMIT_MS, () => {
    noticed.push(scheduler.clock.nowMs());
    silence.follow([]);
  });
  silence.follow([{ inFlight: 0, hasSpoken: false }, speaker]);
  return { scheduler, noticed, speaker };
}

describe("silence", () => {
  it("is noticed when it has lasted, and not much later", async () => {
    for (const begunMs of [0, 1, 249, 250, 251, 3333]) {
      const { scheduler, noticed, speaker } = watch();
      await scheduler.advance(begunMs);
      speaker.inFlight = 1;
      await scheduler.advance(2 * LIMIT_MS);
      const tookMs = (noticed[0] ?? 0) - begunMs;
      expect(tookMs).toBeGreaterThanOrEqual(LIMIT_MS);
      expect(tookMs).toBeLessThanOrEqual(1.25 * LIMIT_MS);
      expect(noticed).toHaveLength(1);
    }
  });

  it("is none where something comes now and then, or nothing is waited for", async () => {
    const { scheduler, noticed, speaker } = watch();
    await scheduler.advance(10 * LIMIT_MS);
    speaker.inFlight = 3;
    for (let count = 0; count < 10; count += 1) {
      await scheduler.advance(0.9 * LIMIT_MS);
      speaker.hasSpoken = true;
    }
    expect(noticed).toEqual([]);
  });
});

describe("a server that is there and does not answer", () => {
  /** One that answers but the first so many requests. */
  async function mute(count: number, options: Partial<NbdDiskOptions>) {
    let requests = 0;
    const unix = await scripted({
      reply: (request) => {
        requests += 1;
        if (requests <= count) return Buffer.alloc(0);
        return Buffer.concat([u32(0x67446698), u32(0), request.subarray(8, 16)]);
      },
    });
    const warnings: string[] = [];
    const scheduler = new EventLoopScheduler({ onWarning: (line) => warnings.push(line) });
    const common = { name: "d", address: { unix }, scheduler, answerMs: 40 };
    const disk = await NbdDisk.open({ ...common, ...options });
    const write = (): Promise<BioStatus> =>
      ended(disk, makeBio(BioOp.Write, 0, new Uint8Array(512)));
    return { disk, write, warnings };
  }

  it("none: fails what waits for it, and all that comes", async () => {
    const { disk, write, warnings } = await mute(Infinity, {});
    expect(await write()).toBe(IoError);
    expect(await write()).toBe(IoError);
    expect(warnings).toEqual([
      expect.stringMatching(/all fails: the server has not answered for 40 ms$/),
    ]);
    await disk.close();
  });

  it("fail: fails what waits for it; what comes has the next connection", async () => {
    const { disk, write } = await mute(1, { reconnect: "fail" });
    expect(await write()).toBe(IoError);
    expect(await write()).toBe(Ok);
    await disk.close();
  });

  it("reissue: is asked again", async () => {
    const { disk, write, warnings } = await mute(1, { reconnect: "reissue" });
    expect(await write()).toBe(Ok);
    expect(warnings[0]).toMatch(/has not answered for 40 ms; connecting again$/);
    await disk.close();
  });

  it("reissue: is given up when it comes back again and again and says nothing", async () => {
    const { disk, write, warnings } = await mute(Infinity, {
      reconnect: "reissue",
      reconnectMs: 30,
    });
    expect(await write()).toBe(IoError);
    expect(warnings.at(-1)).toMatch(/did not come back within 30 ms/);
    await disk.close();
  });
});
