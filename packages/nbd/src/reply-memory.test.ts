import { setTimeout } from "node:timers/promises";
import { expect, it, vi } from "vitest";
import { ArrayDevice } from "../test/array-device.ts";
import { HoleyDevice } from "../test/holey-device.ts";
import { metaQuery, option, type RawClient, request, u32 } from "../test/raw-client.ts";
import { MIB, serve } from "../test/serve.ts";
import { Command, Option } from "./wire.ts";

const KIB = 1024;
const LIMITS = { serverBytesMax: 8 * MIB, requestBytesMax: MIB };
/** An eighth of the memory; one reply may be beyond it, and a small buffer for each connection. */
const HELD_BYTES_MAX = 1024 * KIB + 8.5 * KIB + 12 * 8 * KIB;
const RUN_BYTES = 4 * KIB;
const ASKED_BYTES = 4 * MIB;
const QUESTIONS = 120;
/** What is there: a hole, data, a hole, and so on. */
const EXTENTS = Buffer.concat(
  Array.from({ length: ASKED_BYTES / RUN_BYTES }, (_, index) =>
    Buffer.concat([u32(RUN_BYTES), u32(index % 2 === 0 ? 3 : 0)]),
  ),
);

const CONTEXTS = [
  option(Option.StructuredReply),
  option(Option.SetMetaContext, metaQuery("", "base:allocation")),
];

/** Twelve clients that have asked and do not read; answers how much was held for them at the most. */
async function askWithoutReading(
  clients: readonly RawClient[],
  held: () => number,
  question: Buffer,
) {
  for (const client of clients) client.stopReading();
  let most = 0;
  for (let asked = 0; asked < QUESTIONS; asked += 20) {
    for (const client of clients) client.send(...Array.from({ length: 20 }, () => question));
    await setTimeout(5);
    most = Math.max(most, held());
  }
  for (const client of clients) client.resumeReading();
  return most;
}

it("clients that ask for extents and do not read hold little, and are told less at a time", async () => {
  const served = await serve(new HoleyDevice(8 * MIB, RUN_BYTES / 512), {
    limits: LIMITS,
  });
  const clients = Array.from({ length: 12 }, () => served.connect());
  for (const client of clients) await client.goAfter(CONTEXTS);
  const question = request({ command: Command.BlockStatus, length: ASKED_BYTES });
  const held = (): number => served.server.counters.replyBytes;
  const most = await askWithoutReading(clients, held, question);
  expect(most).toBeGreaterThan(512 * KIB);
  expect(most).toBeLessThan(HELD_BYTES_MAX);

  const counts = new Set<number>();
  for (const client of clients) {
    for (let asked = 0; asked < QUESTIONS; asked += 1) {
      const { body, type, isDone } = await client.chunk();
      expect({ type, isDone }).toEqual({ type: 5, isDone: true });
      const extents = body.subarray(4);
      counts.add(extents.length / 8);
      expect(extents.equals(EXTENTS.subarray(0, extents.length))).toBe(true);
    }
  }
  expect(counts).toEqual(new Set([1, 1024]));
  await vi.waitFor(() => {
    expect(held()).toBe(0);
  });
});

it.each([3, 20])("clients that read %i KiB and do not read hold little beside", async (kib) => {
  const device = new ArrayDevice(MIB);
  device.bytes.forEach((_, index) => (device.bytes[index] = index * 7));
  const served = await serve(device, { limits: LIMITS });
  const clients = Array.from({ length: 12 }, () => served.connect());
  for (const client of clients) await client.go();
  const question = request({ command: Command.Read, offset: 512, length: kib * KIB });
  const held = (): number => served.server.counters.replyBytes;
  const most = await askWithoutReading(clients, held, question);
  expect(most).toBeLessThan(HELD_BYTES_MAX);

  for (const client of clients) {
    for (let asked = 0; asked < QUESTIONS; asked += 1) {
      expect((await client.reply()).error).toBe(0);
      const data = await client.take(kib * KIB);
      expect(Buffer.compare(data, device.bytes.subarray(512, 512 + kib * KIB))).toBe(0);
    }
  }
  await vi.waitFor(() => {
    expect(held()).toBe(0);
  });
});
