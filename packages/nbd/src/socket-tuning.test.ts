import { fstatSync } from "node:fs";
import { expect, it } from "vitest";
import { serve } from "../test/serve.ts";
import { NbdClient } from "./index.ts";

function tuning() {
  const asked: { fd: number; bytes: number }[] = [];
  return {
    asked,
    setSendBuffer(fd: number, bytes: number): number {
      expect(fstatSync(fd).isSocket()).toBe(true);
      asked.push({ fd, bytes });
      return -1;
    },
  };
}

it("a unix socket is given room for a long reply, and works when the system refuses", async () => {
  const sockets = tuning();
  const { path } = await serve(undefined, { sockets });
  const client = await NbdClient.connect({ unix: path });
  expect((await client.read(0, 512)).length).toBe(512);
  expect(sockets.asked.length).toBe(1);
  expect(sockets.asked[0]?.bytes).toBeGreaterThan(256 * 1024);
  await client.close();
});

it("TCP is left to measure for itself", async () => {
  const sockets = tuning();
  const { server } = await serve(undefined, { sockets });
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  const client = await NbdClient.connect({ host: "127.0.0.1", port: port ?? 0 });
  expect((await client.read(0, 512)).length).toBe(512);
  expect(sockets.asked).toEqual([]);
  await client.close();
});
