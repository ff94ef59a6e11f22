import { deepEqual } from "node:assert/strict";
import type { RawClient } from "../raw-client.ts";
import {
  Command,
  Errno,
  option,
  Option,
  OptionReply,
  readOptionEnd,
  readReply,
  request,
} from "../raw-protocol.ts";

/** A negotiation goes on: a LIST is answered as it should be. */
export async function negotiates(client: RawClient): Promise<void> {
  client.send(option(Option.List));
  const { option: answered, type } = await readOptionEnd(client);
  deepEqual([answered, type], [Option.List, OptionReply.Ack]);
  client.vanish();
}

/** A session goes on: a read is answered with its own cookie. */
export async function serves(client: RawClient): Promise<void> {
  client.send(request({ command: Command.Read, length: 512, cookie: 4711 }));
  deepEqual(await readReply(client), { errno: Errno.Ok, cookie: 4711 });
  await client.read(512);
  client.vanish();
}

/** Sends so many MiB of nothing, or until the server has closed. */
export async function stream(client: RawClient, mib: number): Promise<void> {
  const chunk = Buffer.alloc(1024 * 1024);
  for (let sent = 0; sent < mib && client.socket.writable; sent += 1) {
    await new Promise((resolve) => client.socket.write(chunk, resolve));
  }
}
