import { IoKind } from "@blkstack/block";
import { expect, it, vi } from "vitest";
import { ArrayDevice } from "../test/array-device.ts";
import { u32 } from "../test/raw-client.ts";
import { MIB, serve } from "../test/serve.ts";
import { type LogEvent, NbdClient } from "./index.ts";

it("what a client has had done is told of the connection, and of the export when it is gone", async () => {
  const { server, path } = await serve(new ArrayDevice(4 * MIB));
  const client = await NbdClient.connect({ unix: path });
  await client.write(0, Buffer.alloc(4096));
  await client.write(4096, Buffer.alloc(8192));
  await client.read(0, 512);
  await client.flush();
  await expect(client.write(64 * MIB, Buffer.alloc(512))).rejects.toThrow("error 28");
  const [connection, ...others] = server.connections();
  expect(others).toEqual([]);
  expect(connection).toMatchObject({ id: 1, export: "disk", peer: "unix" });
  for (const stats of [connection?.stats, server.statsOf("disk")]) {
    expect(stats?.ios(IoKind.Write)).toBe(3);
    expect(stats?.bytes(IoKind.Write)).toBe(12_288);
    expect(stats?.errors(IoKind.Write)).toBe(1);
    expect(stats?.bytes(IoKind.Read)).toBe(512);
    expect(stats?.ios(IoKind.Flush)).toBe(1);
    expect(stats?.latency(IoKind.Write).reduce((all, one) => all + one)).toBe(3);
    expect(stats?.inFlight).toBe(0);
  }
  await client.close();
  await vi.waitFor(() => {
    expect(server.connections()).toEqual([]);
  });
  expect(server.statsOf("disk").bytes(IoKind.Write)).toBe(12_288);
  const next = await NbdClient.connect({ unix: path });
  await next.read(0, 1024);
  expect(server.connections().map(({ id }) => id)).toEqual([2]);
  expect(server.connections(0)).toEqual([]);
  expect(server.statsOf("disk").bytes(IoKind.Read)).toBe(1536);
  await next.close();
});

it("the log tells of each client who it is, what it uses and why it goes", async () => {
  const log: LogEvent[] = [];
  const served = await serve(new ArrayDevice(MIB), { log: (line) => void log.push(line) });
  const client = await NbdClient.connect({ unix: served.path });
  await client.close();
  const hostile = served.connect();
  hostile.send(u32(77));
  await vi.waitFor(() => {
    expect(log.map(({ event, connection, export: name }) => [event, connection, name])).toEqual([
      ["connected", 1, null],
      ["chosen", 1, "disk"],
      ["disconnected", 1, "disk"],
      ["connected", 2, null],
      ["disconnected", 2, null],
    ]);
  });
  expect(new Set(log.map(({ peer }) => peer))).toEqual(new Set(["unix"]));
});
