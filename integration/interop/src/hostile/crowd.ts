import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";
import type { RawClient } from "../raw-client.ts";
import { RawClient as Client } from "../raw-client.ts";
import {
  choose,
  Command,
  Errno,
  greet,
  option,
  Option,
  readReply,
  request,
} from "../raw-protocol.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
/** Those who connect at a time: a crowd comes in through one door. */
const ABREAST = 32;

/** Clients that are there at a time, of one kind. */
export interface Crowd {
  /** Requests that each of its clients has had answered; of hostile ones nobody counts. */
  readonly served: readonly number[];
  /** How often one of them was closed, and came back. */
  readonly closed: number;
  leave(): void;
}

/** What a client of a kind does with its connection; resolves when it has none any more. */
type Conduct = (path: string, crowd: Members, index: number) => Promise<void>;

/** The clients of a crowd, for as long as it stays. */
class Members implements Crowd {
  readonly served: number[];
  closed = 0;
  isLeaving = false;
  readonly #clients = new Set<RawClient>();

  constructor(count: number) {
    this.served = Array.from({ length: count }, () => 0);
  }

  /** Keeps a connection until it is over. */
  join(client: RawClient): RawClient {
    if (this.isLeaving) client.vanish();
    this.#clients.add(client);
    client.socket.once("close", () => this.#clients.delete(client));
    return client;
  }

  count(index: number): void {
    this.served[index] = (this.served[index] ?? 0) + 1;
  }

  leave(): void {
    this.isLeaving = true;
    for (const client of this.#clients) client.vanish();
  }
}

const READ = { command: Command.Read, length: 4 * KIB };

async function readOnce(client: RawClient, members: Members, index: number): Promise<void> {
  const offset = ((index * 131 + (members.served[index] ?? 0) * 17) % 4096) * 4 * KIB;
  client.send(request({ ...READ, offset }));
  const { errno } = await readReply(client);
  if (errno !== Errno.Ok) throw new Error(`a read ended with ${String(errno)}`);
  await client.read(READ.length);
  members.count(index);
}

const untilClosed = ({ socket }: RawClient): Promise<void> =>
  new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once("close", resolve);
  });

/** Sends the same again and again, as fast as it is taken, and looks at no answer. */
async function flood({ socket }: RawClient, bytes: Buffer): Promise<void> {
  let wake = (): void => undefined;
  socket.on("drain", () => {
    wake();
  });
  socket.on("close", () => {
    wake();
  });
  while (!socket.destroyed) {
    if (socket.write(bytes)) await turn();
    else await new Promise<void>((resolve) => (wake = resolve));
  }
}

/** What kinds of clients there are. */
const CONDUCTS = {
  /** Has chosen, was served once, and stays. */
  idle: async (path, members, index) => {
    const client = members.join(await choose(path, ""));
    await readOnce(client, members, index);
    await untilClosed(client);
  },
  /** Reads as fast as it is served, one request at a time. */
  active: async (path, members, index) => {
    const client = members.join(await choose(path, ""));
    while (!members.isLeaving) await readOnce(client, members, index);
  },
  /** Asks for a gigabyte and two, and takes nothing of it. */
  "slow-reader": async (path, members, index) => {
    const client = members.join(await choose(path, ""));
    client.socket.pause();
    const reads = Array.from({ length: 2000 }, () =>
      request({ command: Command.Read, length: MIB }),
    );
    client.send(...reads);
    members.count(index);
    // A socket that is not read does not tell that it was closed.
    while (!client.socket.destroyed && !members.isLeaving) {
      await sleep(50);
      client.socket.write(request({ command: Command.Flush }));
    }
  },
  /** Begins to write 32 MiB, and goes on a byte at a time. */
  "slow-writer": async (path, members, index) => {
    const client = members.join(await choose(path, ""));
    client.send(request({ command: Command.Write, length: 32 * MIB }));
    members.count(index);
    while (!client.socket.destroyed) {
      await sleep(10);
      client.socket.write(Buffer.alloc(1));
    }
  },
  /** Connects, and perhaps begins to say something. */
  "half-open": async (path, members, index) => {
    const client = members.join(await Client.open(path));
    if (index % 2 === 0) client.send(Buffer.from([0, 0, 0, 3]), option(Option.Go).subarray(0, 9));
    members.count(index);
    await untilClosed(client);
  },
  /** Sends options without end. */
  options: async (path, members, index) => {
    const client = members.join(await greet(path));
    members.count(index);
    await flood(
      client,
      Buffer.concat([option(Option.List), option(0x1234, Buffer.alloc(64 * KIB))]),
    );
  },
  /** Sends requests that are refused, without end, and reads no answer. */
  refused: async (path, members, index) => {
    const client = members.join(await choose(path, ""));
    members.count(index);
    const past = { command: Command.Write, offset: 2 ** 50, length: 512 };
    client.socket.pause();
    await flood(client, Buffer.concat([request(past), Buffer.alloc(512)]));
  },
} as const satisfies Readonly<Record<string, Conduct>>;

export type Kind = keyof typeof CONDUCTS;
export const KINDS: readonly Kind[] = Object.keys(CONDUCTS) as Kind[];

/** Who comes back when closed: whoever means harm. */
const ARE_STUBBORN: ReadonlySet<Kind> = new Set([
  "slow-reader",
  "slow-writer",
  "half-open",
  "options",
  "refused",
]);

/** Has clients of one kind connect. Waits: until each was served, or had its chance, once. */
export async function gather(path: string, kind: Kind, count: number): Promise<Crowd> {
  const members = new Members(count);
  const failures: unknown[] = [];
  const conduct: Conduct = CONDUCTS[kind];
  const live = async (index: number): Promise<void> => {
    do {
      try {
        await conduct(path, members, index);
      } catch (error) {
        if (!members.isLeaving && !ARE_STUBBORN.has(kind)) failures.push(error);
      }
      members.closed += 1;
      await turn();
    } while (!members.isLeaving && ARE_STUBBORN.has(kind));
  };
  for (let index = 0; index < count; index += 1) {
    void live(index);
    while (index - members.served.filter((served) => served > 0).length >= ABREAST) {
      if (failures.length > 0) throw failures[0];
      await sleep(1);
    }
  }
  while (members.served.includes(0)) {
    if (failures.length > 0) throw failures[0];
    await sleep(1);
  }
  return members;
}
