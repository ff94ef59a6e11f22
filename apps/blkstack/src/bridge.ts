import { once } from "node:events";
import { connect, Socket } from "node:net";
import { Duplex } from "node:stream";

/** Hands a client, however it came, to the server that listens at `socketPath`. */
function bridgeClient(client: Duplex, socketPath: string): Duplex {
  const inner = connect({ path: socketPath, allowHalfOpen: true });
  client.pipe(inner).pipe(client);
  const end = (): void => {
    client.destroy();
    inner.destroy();
  };
  // When the server has done, so has the client, who may keep its side open for ever. But it shall
  // get what the server said last; one that does not read it holds nobody up.
  const endWhenTold = (): void => {
    if (client instanceof Socket) client.unref();
    if (client.writableFinished) end();
    else client.once("finish", end).end();
  };
  client.on("error", end);
  inner.on("error", end);
  inner.on("end", endWhenTold);
  inner.on("close", endWhenTold);
  return inner;
}

/** One client on standard input and output. `ended` ends when it has gone. */
export function bridgeStdio(socketPath: string): { ended: Promise<void>; close(): void } {
  const client = Duplex.from({ readable: process.stdin, writable: process.stdout });
  const inner = bridgeClient(client, socketPath);
  const ended = once(inner, "close").then(() => undefined);
  return {
    ended,
    close() {
      client.destroy();
      process.stdin.destroy();
    },
  };
}
