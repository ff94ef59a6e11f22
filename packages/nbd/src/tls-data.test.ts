import { describe, expect, it, vi } from "vitest";
import { ArrayDevice } from "../test/array-device.ts";
import { option, query, type RawClient, request } from "../test/raw-client.ts";
import { MIB, serve } from "../test/serve.ts";
import {
  alice,
  ALICES_KEY,
  CERTIFICATE,
  certificatesOf,
  keyOf,
  PSK,
  quiet,
  TRUST,
  VERIFYING,
} from "../test/tls-parties.ts";
import { NbdClient } from "./index.ts";
import { Option, OptionReply } from "./wire.ts";

const READ = 0;

describe("data by TLS", () => {
  it("arrives as it was sent, from several clients at once, in pieces of any size", async () => {
    const device = new ArrayDevice(16 * MIB);
    device.isLate = true;
    const served = await serve(device, { tls: VERIFYING });
    const tls = await certificatesOf(alice);
    await Promise.all(
      [0, 1, 2].map(async (index) => {
        const client = await NbdClient.connect({ unix: served.path, tls });
        const lengths = [1, 600, 4096, 70_001, MIB, 3 * MIB + 7];
        let at = index * 5 * MIB;
        for (const length of lengths) {
          const data = Buffer.alloc(length, `client ${String(index)} ${String(length)}`);
          await client.write(at, data);
          expect(Buffer.compare(await client.read(at, length), data)).toBe(0);
          at += length;
        }
        await client.close();
      }),
    );
    await quiet(served);
  });

  it("arrives whole when many replies are ready, and few may be", async () => {
    const device = new ArrayDevice(8 * MIB);
    for (let at = 0; at < device.bytes.length; at += 1) device.bytes[at] = (at * 7) >>> 3;
    const limits = { bytesInFlightMax: MIB, requestsInFlightMax: 8 };
    const served = await serve(device, { tls: PSK, limits });
    const client = await NbdClient.connect({ unix: served.path, tls: await keyOf(ALICES_KEY) });
    const pieceBytes = 256 * 1024;
    const pieces = Array.from({ length: 32 }, (_, index) => index * pieceBytes);
    const read = await Promise.all(pieces.map((at) => client.read(at, pieceBytes)));
    expect(Buffer.compare(Buffer.concat(read), device.bytes)).toBe(0);
    await client.close();
  });

  it("is answered whole to a client that half-closes behind more requests than are let in", async () => {
    const limits = { requestsInFlightMax: 2 };
    const served = await serve(new ArrayDevice(MIB), { tls: CERTIFICATE, limits });
    const client = served.connect();
    await client.greet();
    const secured = await client.startTls(TRUST);
    const reads = Array.from({ length: 9 }, () => request({ command: READ, length: 512 }));
    client.send(option(Option.Go, query("")), ...reads);
    secured.end();
    const answers = 20 + 12 + 20;
    expect(await client.takeAll()).toHaveLength(answers + 9 * (16 + 512));
    await quiet(served);
  });

  it("waits in the server's own memory while nobody reads it, and goes with its client", async () => {
    const served = await serve(new ArrayDevice(4 * MIB), { tls: CERTIFICATE });
    const client = served.connect();
    await readMuch(client);
    await vi.waitFor(() => {
      expect(served.server.counters.pagesInUse).toBeGreaterThan((8 * MIB) / 4096);
    });
    const [before, pagesBefore] = [process.memoryUsage().rss, served.server.counters.pagesInUse];
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(served.server.counters.pagesInUse).toBe(pagesBefore);
    expect(process.memoryUsage().rss - before).toBeLessThan(8 * MIB);
    client.vanish();
    await quiet(served);
  });
});

/** Asks for 32 MiB and more, and reads none of it. */
async function readMuch(client: RawClient): Promise<void> {
  await client.greet();
  await client.startTls(TRUST);
  client.send(option(Option.Go, query("")));
  while ((await client.optionReply()).type !== OptionReply.Ack);
  client.stopReading();
  for (let cookie = 1; cookie <= 64; cookie += 1) {
    client.send(request({ command: READ, cookie: BigInt(cookie), length: 2 * MIB }));
  }
}
