import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BlockDevice } from "@blkstack/block";
import { Memory } from "@blkstack/memory";
import { EventLoopScheduler } from "@blkstack/task/node";
import { onTestFinished } from "vitest";
import { type LogEvent, type NbdExport, NbdServer, type NbdServerOptions } from "../src/index.ts";
import { ArrayDevice, straight } from "./array-device.ts";
import { RawClient } from "./raw-client.ts";

export const MIB = 1024 * 1024;

export interface Served<Device extends BlockDevice = ArrayDevice> {
  readonly server: NbdServer;
  readonly path: string;
  readonly device: Device;
  readonly log: LogEvent[];
  connect(): RawClient;
}

/** A server of one device on a unix socket, for the length of a test. */
export async function serve<Device extends BlockDevice = ArrayDevice>(
  device: Device = new ArrayDevice(MIB) as BlockDevice as Device,
  options: Partial<NbdServerOptions> = {},
  entry: Partial<NbdExport> = {},
): Promise<Served<Device>> {
  const scheduler = new EventLoopScheduler();
  const log: LogEvent[] = [];
  const server = new NbdServer({
    scheduler,
    submitter: straight,
    memory: new Memory({ scheduler }),
    exports: [{ name: "disk", device, isDefault: true, ...entry }],
    log: (line) => log.push(line),
    ...options,
  });
  const folder = await mkdtemp(join(tmpdir(), "nbd-"));
  const path = join(folder, "socket");
  await server.listen({ unix: path });
  const clients: RawClient[] = [];
  onTestFinished(async () => {
    if (device instanceof ArrayDevice) device.letGo();
    for (const client of clients) client.vanish();
    await server.close();
    await rm(folder, { recursive: true });
  });
  const connectClient = (): RawClient => {
    const client = new RawClient(path);
    clients.push(client);
    return client;
  };
  return { server, path, device, log, connect: connectClient };
}
