import { describe, expect, it, vi } from "vitest";
import { ArrayDevice } from "../test/array-device.ts";
import { MIB, serve } from "../test/serve.ts";
import { NbdClient } from "./index.ts";

describe("clients of one address", () => {
  it("are no more than may come from there; others are served", async () => {
    const served = await serve(new ArrayDevice(MIB), { limits: { connectionsPerPeerMax: 2 } });
    const { port } = await served.server.listen({ port: 0 });
    const address = { host: "127.0.0.1", port: port ?? 0 };
    const clients = [await NbdClient.connect(address), await NbdClient.connect(address)];
    await expect(NbdClient.connect(address)).rejects.toThrow();
    const messages = served.log.map(({ message }) => message);
    expect(messages).toContain("turned a client away: too many connections from 127.0.0.1");
    for (let count = 0; count < 3; count += 1) {
      clients.push(await NbdClient.connect({ unix: served.path }));
    }
    expect(served.server.counters.connections).toBe(5);
    await clients.shift()?.close();
    await vi.waitFor(async () => {
      clients.push(await NbdClient.connect(address));
    });
    for (const client of clients) {
      expect(await client.read(0, 512)).toHaveLength(512);
      await client.close();
    }
  });

  it("cannot come in by negotiating side by side", async () => {
    const served = await serve(new ArrayDevice(MIB), { limits: { connectionsPerPeerMax: 2 } });
    const { port } = await served.server.listen({ port: 0 });
    const address = { host: "127.0.0.1", port: port ?? 0 };
    const all = await Promise.allSettled(
      Array.from({ length: 6 }, () => NbdClient.connect(address)),
    );
    await vi.waitFor(() => {
      expect(served.server.counters).toMatchObject({ halfOpen: 0, connections: 2 });
    });
    for (const each of all) if (each.status === "fulfilled") await each.value.close();
  });
});

it("a descriptor that is no socket is refused", async () => {
  const { server } = await serve();
  await expect(server.listen({ fd: 987_654 })).rejects.toThrow(
    /^cannot listen on descriptor 987654: /,
  );
});
