import { Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { expect, it, onTestFinished, vi } from "vitest";
import { ArrayDevice } from "../test/array-device.ts";
import { type RawClient, request } from "../test/raw-client.ts";
import { MIB, serve } from "../test/serve.ts";

const REPLY_MAGIC = Buffer.from("67446698", "hex");
const REPLY_BYTES = 16 + 512;
const READ = request({ command: 0, length: 512 });
const KIB = 1024;

/** Tells the lengths of the writes that began with a reply, since it was made. */
function watchReplies(): () => number[] {
  const spy = vi.spyOn(Socket.prototype, "write");
  const before = spy.mock.calls.length;
  onTestFinished(() => {
    spy.mockRestore();
  });
  return () =>
    spy.mock.calls
      .slice(before)
      .map(([bytes]) => Buffer.from(bytes))
      .filter((bytes) => bytes.subarray(0, 4).equals(REPLY_MAGIC))
      .map(({ length }) => length);
}

/** A client with so many requests that the device still has. */
async function clientThatWaits(count: number): Promise<[RawClient, ArrayDevice]> {
  const served = await serve(new ArrayDevice(8 * MIB));
  const { device } = served;
  const client = served.connect();
  await client.go();
  device.isHolding = true;
  for (let index = 0; index < count; index += 1) client.send(READ);
  await vi.waitFor(() => {
    expect(device.held.length).toBe(count);
  });
  device.isHolding = false;
  return [client, device];
}

it("what is asked for a turn later is answered with what came before, as long as more is on its way", async () => {
  const [client] = await clientThatWaits(1);
  const replies = watchReplies();
  client.send(READ);
  await setImmediate();
  client.send(READ);
  await client.take(2 * REPLY_BYTES);
  expect(replies()).toEqual([2 * REPLY_BYTES]);
});

/** How many turns of the event loop pass from a request to its reply: two on the way to the server. */
async function turnsUntilReplied(client: RawClient, lengthBytes: number): Promise<number> {
  const replies = watchReplies();
  client.send(request({ command: 0, length: lengthBytes }));
  let turns = 0;
  for (; replies().length === 0; turns += 1) await setImmediate();
  await client.take(16 + lengthBytes);
  return turns;
}

it("the only reply that a client waits for leaves in the same turn, and so does a long one", async () => {
  const [alone] = await clientThatWaits(0);
  const [busy] = await clientThatWaits(1);
  expect(await turnsUntilReplied(alone, 512)).toBeLessThanOrEqual(2);
  expect(await turnsUntilReplied(busy, 100 * KIB)).toBeLessThanOrEqual(2);
  expect(await turnsUntilReplied(busy, 512)).toBeGreaterThan(2);
});

it("nobody waits for long: what nothing follows leaves alone", async () => {
  const [client] = await clientThatWaits(1);
  const replies = watchReplies();
  client.send(READ);
  await client.take(REPLY_BYTES);
  expect(replies()).toEqual([REPLY_BYTES]);
});

it("long writes that follow each other arrive whole, however they are cut, and so does what is between", async () => {
  const [client, device] = await clientThatWaits(0);
  const data = Buffer.alloc(
    5 * MIB,
    Uint8Array.from({ length: 251 }, (_, index) => index),
  );
  let offset = 0;
  let count = 0;
  for (const length of [512, 256, 1, 1024, 17, 0.5, 64, 300].map((kib) => kib * KIB)) {
    const payload = data.subarray(offset, offset + length);
    client.send(request({ command: 1, offset, length }), payload, READ);
    offset += length;
    count += 1;
  }
  await client.take(count * (16 + REPLY_BYTES));
  expect(Buffer.compare(device.bytes.subarray(0, offset), data.subarray(0, offset))).toBe(0);
});
