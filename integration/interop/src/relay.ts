import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";

export interface Relay {
  readonly port: number;
  close(): void;
}

/** Leads clients of a port of the loopback to a socket; cuts each off behind so many bytes from there. */
export async function relayTo(path: string, cutAfterBytes = Infinity): Promise<Relay> {
  const between = createServer((client) => {
    const inner = connect(path);
    let left = cutAfterBytes;
    const cut = (): void => {
      client.destroy();
      inner.destroy();
    };
    for (const socket of [client, inner]) socket.on("error", cut).on("close", cut);
    client.pipe(inner).pipe(client);
    inner.on("data", (chunk: Buffer) => {
      left -= chunk.length;
      if (left <= 0) cut();
    });
  });
  between.listen(0, "127.0.0.1");
  await once(between, "listening");
  return {
    port: (between.address() as AddressInfo).port,
    close: () => void between.close(),
  };
}
