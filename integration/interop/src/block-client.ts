import type { RawClient } from "./raw-client.ts";
import { choose, Command, Errno, readReply, request } from "./raw-protocol.ts";

/** What became of a request: `null` when the server went away before it answered. */
export type Answer = { readonly errno: number; readonly bytes: Buffer } | null;

interface Waiting {
  readonly length: number;
  readonly settle: (answer: Answer) => void;
}

/** A client of one export that has any number of requests under way, and survives its server. */
export class BlockClient {
  readonly #client: RawClient;
  readonly #waiting = new Map<number, Waiting>();
  #cookie = 0;
  #hasEnded = false;
  #asked: () => void = () => undefined;

  private constructor(client: RawClient) {
    this.#client = client;
    void this.#readReplies();
  }

  static async open(socketPath: string, exportName: string): Promise<BlockClient> {
    return new BlockClient(await choose(socketPath, exportName));
  }

  write(offset: number, bytes: Uint8Array): Promise<Answer> {
    return this.#ask(Command.Write, { offset, length: bytes.length }, bytes);
  }

  read(offset: number, length: number): Promise<Answer> {
    return this.#ask(Command.Read, { offset, length });
  }

  flush(): Promise<Answer> {
    return this.#ask(Command.Flush, {});
  }

  close(): void {
    this.#client.vanish();
  }

  #ask(
    command: number,
    { offset = 0, length = 0 }: { readonly offset?: number; readonly length?: number },
    payload: Uint8Array = Buffer.alloc(0),
  ): Promise<Answer> {
    if (this.#hasEnded) return Promise.resolve(null);
    this.#cookie += 1;
    const cookie = this.#cookie;
    return new Promise((settle) => {
      this.#waiting.set(cookie, { length: command === Command.Read ? length : 0, settle });
      this.#client.send(request({ command, offset, length, cookie }), payload);
      this.#asked();
    });
  }

  async #readReplies(): Promise<void> {
    for (;;) {
      // A server that was not asked anything may be silent for as long as it likes.
      if (this.#waiting.size === 0) await new Promise<void>((wake) => (this.#asked = wake));
      const answered = await this.#readOne().catch(() => null);
      if (answered === null) break;
      answered.settle();
    }
    this.#hasEnded = true;
    for (const { settle } of this.#waiting.values()) settle(null);
    this.#waiting.clear();
  }

  async #readOne(): Promise<{ readonly settle: () => void }> {
    const { errno, cookie } = await readReply(this.#client);
    const waiting = this.#waiting.get(cookie);
    if (waiting === undefined) throw new Error(`a reply to no request: ${String(cookie)}`);
    const length = errno === Errno.Ok ? waiting.length : 0;
    const bytes = Buffer.from(await this.#client.read(length));
    this.#waiting.delete(cookie);
    return {
      settle: () => {
        waiting.settle({ errno, bytes });
      },
    };
  }
}

/** Makes an export what `after` is, where it differs from `before`: as a filesystem above would. */
export async function replay(
  client: BlockClient,
  before: Buffer,
  after: Buffer,
  blockBytes = 4096,
): Promise<number> {
  const writes: Promise<Answer>[] = [];
  for (let at = 0; at < after.length; at += blockBytes) {
    const block = after.subarray(at, at + blockBytes);
    if (!block.equals(before.subarray(at, at + blockBytes))) writes.push(client.write(at, block));
  }
  for (const answer of await Promise.all(writes)) {
    if (answer?.errno !== Errno.Ok) throw new Error(`a write ended with ${String(answer?.errno)}`);
  }
  await client.flush();
  return writes.length;
}
