import { once } from "node:events";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { metaQuery, option, query, request } from "../test/raw-client.ts";
import { MIB, serve } from "../test/serve.ts";
import {
  alice,
  CERTIFICATE,
  certificatesOf,
  folderOf,
  quiet,
  server,
  TRUST,
  VERIFYING,
} from "../test/tls-parties.ts";
import { NbdClient, NbdError, type ServerAddress } from "./index.ts";
import { Option, OptionReply } from "./wire.ts";

const READ = 0;
const BLOCK_STATUS = 7;
const UNKNOWN_OPTION = 0x1234;

describe("a server that demands TLS", () => {
  it("answers every option but STARTTLS and ABORT by demanding it, in step (X09)", async () => {
    const served = await serve(undefined, { tls: CERTIFICATE });
    const client = served.connect();
    await client.greet();
    const options = [3, 6, 7, 8, 9, 10, UNKNOWN_OPTION];
    for (const each of options) client.send(option(each, query("disk")));
    for (const each of options) {
      const { option: answered, type } = await client.optionReply();
      expect({ answered, type }).toEqual({ answered: each, type: OptionReply.ErrTlsRequired });
    }
    client.send(option(Option.Abort));
    expect((await client.optionReply()).type).toBe(OptionReply.Ack);
    expect(await client.takeAll()).toHaveLength(0);
  });

  it("closes on EXPORT_NAME, which has no other answer (X09)", async () => {
    const served = await serve(undefined, { tls: CERTIFICATE });
    const client = served.connect();
    await client.greet();
    client.send(option(Option.ExportName, Buffer.from("disk")));
    expect(await client.takeAll()).toHaveLength(0);
  });

  it("serves by TLS whom it refuses in clear", async () => {
    const { path } = await serve(undefined, { tls: CERTIFICATE });
    await expect(NbdClient.connect({ unix: path })).rejects.toThrow(/this server wants TLS/);
    const client = await NbdClient.connect({ unix: path, tls: await certificatesOf(null) });
    await client.write(1000, Buffer.from("secret"));
    expect(Buffer.from(await client.read(1000, 6)).toString()).toBe("secret");
    await client.close();
  });
});

describe("STARTTLS", () => {
  it("is not known to a server without certificates", async () => {
    const served = await serve();
    const client = served.connect();
    await client.greet();
    client.send(option(Option.StartTls));
    expect((await client.optionReply()).type).toBe(OptionReply.ErrUnsupported);
  });

  it("may be left out where it is only offered", async () => {
    const served = await serve(undefined, { tls: { ...server, isRequired: false } });
    expect((await served.connect().go()).size).toBe(MIB);
    const client = await NbdClient.connect({ unix: served.path, tls: await certificatesOf(null) });
    expect(client.sizeBytes).toBe(MIB);
    await client.close();
  });

  it("is invalid in TLS, and with data (X06)", async () => {
    const served = await serve(undefined, { tls: CERTIFICATE });
    const client = served.connect();
    await client.greet();
    client.send(option(Option.StartTls, Buffer.from("x")));
    expect((await client.optionReply()).type).toBe(OptionReply.ErrInvalid);
    await client.startTls(TRUST);
    client.send(option(Option.StartTls));
    expect((await client.optionReply()).type).toBe(OptionReply.ErrInvalid);
    client.send(option(Option.Go, query("")));
    expect((await client.optionReply()).type).toBe(OptionReply.Info);
  });

  it("makes the server forget what was agreed on in clear (X07)", async () => {
    const served = await serve(undefined, { tls: { ...server, isRequired: false } });
    const client = served.connect();
    await client.greet();
    client.send(option(Option.StructuredReply));
    client.send(option(Option.SetMetaContext, metaQuery("", "base:allocation")));
    const types = [];
    for (let count = 0; count < 3; count += 1) types.push((await client.optionReply()).type);
    expect(types).toEqual([OptionReply.Ack, OptionReply.MetaContext, OptionReply.Ack]);
    await client.startTls(TRUST);
    client.send(option(Option.Go, query("")));
    while ((await client.optionReply()).type !== OptionReply.Ack);
    client.send(request({ command: READ, cookie: 1n, length: 64 }));
    expect(await client.reply()).toEqual({ error: 0, cookie: 1n });
    expect(await client.take(64)).toHaveLength(64);
    client.send(request({ command: BLOCK_STATUS, cookie: 2n, length: 512 }));
    expect(await client.reply()).toEqual({ error: 22, cookie: 2n });
  });

  it.each(["in the same segment", "in the next"])(
    "makes the server take nothing that comes behind it in clear, %s (X08)",
    async (when) => {
      const served = await serve(undefined, { tls: CERTIFICATE });
      const client = served.connect();
      await client.greet();
      if (when === "in the next") {
        client.send(option(Option.StartTls));
        await client.take(20);
        client.send(option(Option.Go, query("")));
      } else client.send(option(Option.StartTls), option(Option.Go, query("")));
      const answered = await client.takeAll();
      // An acknowledgement, an alert of TLS, but no word of the export.
      expect(answered.includes(Buffer.from([0, 0, 0, 7, 0, 0, 0]))).toBe(false);
      await quiet(served);
      expect(served.log.at(-1)?.message).toMatch(/more in clear|TLS failed: wrong version number/);
    },
  );

  it("counts as negotiation: who is slow at it is closed", async () => {
    const served = await serve(undefined, { tls: CERTIFICATE, limits: { handshakeMs: 50 } });
    const client = served.connect();
    await client.greet();
    client.send(option(Option.StartTls));
    await client.takeAll();
    await quiet(served);
    expect(served.log.at(-1)?.message).toMatch(/took too long/);
  });

  it("leaves nothing of clients that send junk instead", async () => {
    const served = await serve(undefined, { tls: CERTIFICATE });
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 5, maxLength: 300 }), async (junk) => {
        const client = served.connect();
        await client.greet();
        client.send(option(Option.StartTls));
        await client.take(20);
        // Like the beginning of a handshake, to get further.
        client.send(Buffer.from([22, 3, 1, 0, junk.length]), junk);
        client.halfClose();
        await client.takeAll();
        client.vanish();
      }),
      { numRuns: 40 },
    );
    await quiet(served);
  });

  it("leaves nothing of clients that vanish at any moment of it", async () => {
    const served = await serve(undefined, { tls: VERIFYING });
    const tls = await certificatesOf(alice);
    let outcome: unknown = null;
    let cut = 20;
    for (; !(outcome instanceof Uint8Array); cut += 67) {
      const path = await cutAfter(served.path, cut);
      outcome = await readOnce({ unix: path, tls }).catch((error: unknown) => error);
      if (!(outcome instanceof Uint8Array)) expect(outcome).toBeInstanceOf(NbdError);
    }
    // The hellos, two certificates, and the options.
    expect(cut).toBeGreaterThan(1000);
    await quiet(served);
  });
});

async function readOnce(address: ServerAddress): Promise<Uint8Array> {
  const client = await NbdClient.connect(address);
  const data = await client.read(0, 64);
  // A cut may come behind the data.
  await client.close().catch(() => undefined);
  return data;
}

/** A socket that leads to `path`, and is cut once so many bytes came from the client. */
async function cutAfter(path: string, bytes: number): Promise<string> {
  const folder = await folderOf({});
  const between = createServer((client) => {
    const inner = connect(path);
    let left = bytes;
    const cut = (): void => {
      client.destroy();
      inner.destroy();
    };
    for (const socket of [client, inner]) socket.on("error", cut).on("close", cut);
    inner.pipe(client);
    client.on("data", (chunk: Buffer) => {
      inner.write(chunk.subarray(0, left));
      left -= chunk.length;
      if (left <= 0) inner.end(cut);
    });
  });
  between.listen(join(folder, "socket"));
  await once(between, "listening");
  onTestFinished(() => void between.close());
  return join(folder, "socket");
}
