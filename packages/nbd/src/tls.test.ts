import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { ArrayDevice } from "../test/array-device.ts";
import { Authority, type Identity } from "../test/certificates.ts";
import { metaQuery, option, query, type RawClient, request } from "../test/raw-client.ts";
import { MIB, serve, type Served } from "../test/serve.ts";
import {
  type ClientTls,
  NbdClient,
  NbdError,
  type ServerAddress,
  type ServerTls,
} from "./index.ts";
import { Option, OptionReply } from "./wire.ts";

const READ = 0;
const BLOCK_STATUS = 7;
const UNKNOWN_OPTION = 0x1234;

const authority = new Authority();
const stranger = new Authority("stranger");
const server = authority.issue({ commonName: "server", hosts: ["localhost"] });
const alice = authority.issue({ commonName: "alice" });
const mallory = authority.issue({ commonName: "mallory" });

const CERTIFICATE: ServerTls = server;
const VERIFYING: ServerTls = {
  ...server,
  clientAuthorities: authority.certificate,
  revoked: authority.revoke(mallory),
};
const PSK: ServerTls = { keys: new Map([["alice", Buffer.alloc(32, 7)]]) };
const ALICES_KEY = `alice:${"07".repeat(32)}\n`;

/** What a raw client trusts. */
const TRUST = { ca: authority.certificate, servername: "localhost" };

/** A folder with these files, for the length of a test. */
async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "nbd-tls-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

async function certificatesOf(who: Identity | null, ca = authority): Promise<ClientTls> {
  const own = who === null ? {} : { "client-cert.pem": who.certificate, "client-key.pem": who.key };
  return { certificates: await folderOf({ "ca-cert.pem": ca.certificate, ...own }) };
}

async function keyOf(line: string, user?: string): Promise<ClientTls> {
  const pskFile = join(await folderOf({ keys: line }), "keys");
  return user === undefined ? { pskFile } : { pskFile, user };
}

async function quiet(served: Pick<Served, "server">): Promise<void> {
  await vi.waitFor(() => {
    expect(served.server.counters).toEqual({ halfOpen: 0, connections: 0, pagesInUse: 0 });
  });
}

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

describe("who may come", () => {
  it("is anybody who knows the server's certificate, unless clients are verified", async () => {
    const { path } = await serve(undefined, { tls: VERIFYING });
    const client = await NbdClient.connect({ unix: path, tls: await certificatesOf(alice) });
    expect(await client.read(0, 64)).toHaveLength(64);
    await client.close();
  });

  const someone = stranger.issue({ commonName: "alice" });
  const late = authority.issue({ commonName: "alice", isExpired: true });
  it.each([
    ["shows no certificate", null, /peer did not return a certificate/],
    [
      "shows a certificate of somebody else's",
      someone,
      /UNABLE_TO_GET_ISSUER_CERT|UNABLE_TO_VERIFY/,
    ],
    ["shows one that has expired", late, /CERT_HAS_EXPIRED/],
    ["shows one that was revoked", mallory, /CERT_REVOKED/],
  ])("is nobody who %s, where they are", async (_what, who, reason) => {
    const served = await serve(undefined, { tls: VERIFYING });
    const refused = NbdClient.connect({ unix: served.path, tls: await certificatesOf(who) });
    await expect(refused).rejects.toBeInstanceOf(NbdError);
    await quiet(served);
    expect(served.log.map(({ message }) => message).join("\n")).toMatch(reason);
  });

  it.each(["TLSv1.2", "TLSv1.3"] as const)("is whoever knows the key, by %s", async (version) => {
    const served = await serve(undefined, { tls: PSK });
    const client = served.connect();
    await client.greet();
    const secured = await client.startTls({
      ciphers: "PSK:TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256",
      maxVersion: version,
      pskCallback: () => ({ identity: "alice", psk: Buffer.alloc(32, 7) }),
      checkServerIdentity: () => undefined,
    });
    expect(secured.getProtocol()).toBe(version);
    client.send(option(Option.Go, query("")));
    expect((await client.optionReply()).type).toBe(OptionReply.Info);
  });

  it("is nobody with another key, nor anybody unknown", async () => {
    const served = await serve(undefined, { tls: PSK });
    const { path: unix } = served;
    const client = await NbdClient.connect({ unix, tls: await keyOf(ALICES_KEY) });
    await client.close();
    for (const line of [`alice:${"08".repeat(32)}`, `bob:${"07".repeat(32)}`]) {
      const refused = NbdClient.connect({ unix, tls: await keyOf(line) });
      await expect(refused).rejects.toMatchObject({ code: "NBD_TLS" });
    }
    await quiet(served);
  });
});

describe("a client that wants TLS", () => {
  const elsewhere = authority.issue({ commonName: "elsewhere", hosts: ["elsewhere.example"] });
  const expired = authority.issue({ commonName: "x", hosts: ["localhost"], isExpired: true });
  const foreign = stranger.issue({ commonName: "x", hosts: ["localhost"] });

  it.each([
    ["another name", elsewhere, /does not match certificate's altnames/],
    ["a certificate that has expired", expired, /certificate has expired/],
    ["a certificate of an authority that nobody trusts", foreign, /unable to (verify|get)/],
  ])("is content with no server that has %s", async (_what, identity, why) => {
    const { path: unix } = await serve(undefined, { tls: identity });
    const tls = await certificatesOf(null);
    const refused = NbdClient.connect({ unix, tls });
    await expect(refused).rejects.toMatchObject({ code: "NBD_TLS" });
    await expect(refused).rejects.toThrow(why);
    const careless = await NbdClient.connect({ unix, tls: { ...tls, isPeerVerified: false } });
    await careless.close();
  });

  it("can be told which name the server has", async () => {
    const { path: unix } = await serve(undefined, { tls: elsewhere });
    const tls = { ...(await certificatesOf(null)), hostname: "elsewhere.example" };
    const client = await NbdClient.connect({ unix, tls });
    await client.close();
  });

  it("says nothing in clear to a server that does not know of TLS", async () => {
    const { path: unix, log } = await serve();
    const refused = NbdClient.connect({ unix, tls: await certificatesOf(null) }, "disk");
    await expect(refused).rejects.toMatchObject({ code: "NBD_TLS" });
    await expect(refused).rejects.toThrow(/does not speak TLS: this option is not supported/);
    await vi.waitFor(() => {
      expect(log.at(-1)?.message).toBe("left before it chose an export");
    });
  });

  it("takes nothing that a server says in clear behind its consent", async () => {
    const heard: Buffer[] = [];
    const consent = Buffer.alloc(20);
    consent.writeBigUInt64BE(0x3e889045565a9n);
    consent.writeUInt32BE(Option.StartTls, 8);
    consent.writeUInt32BE(OptionReply.Ack, 12);
    const greeting = Buffer.from("NBDMAGICIHAVEOPT\0\x03", "latin1");
    const path = await speak((socket) => {
      socket.on("data", (bytes: Buffer) => heard.push(bytes));
      socket.write(Buffer.concat([greeting, consent, consent]));
    });
    const refused = NbdClient.connect({ unix: path, tls: await certificatesOf(null) });
    await expect(refused).rejects.toMatchObject({ code: "NBD_PROTOCOL" });
    expect(Buffer.concat(heard)).toHaveLength(4 + 16);
  });

  it("with a key takes no certificate for it", async () => {
    const { path: unix } = await serve(undefined, { tls: CERTIFICATE });
    const refused = NbdClient.connect({ unix, tls: await keyOf(ALICES_KEY) });
    await expect(refused).rejects.toMatchObject({ code: "NBD_TLS" });
  });

  it("names the file that it lacks, or the user", async () => {
    const { path: unix } = await serve(undefined, { tls: PSK });
    const tls = { certificates: "/nowhere" };
    await expect(NbdClient.connect({ unix, tls })).rejects.toThrow(
      "TLS: /nowhere/ca-cert.pem is not there",
    );
    const bob = await keyOf(ALICES_KEY, "bob");
    await expect(NbdClient.connect({ unix, tls: bob })).rejects.toThrow(
      /has no key for the user "bob"/,
    );
  });
});

/** A server that does as it likes; answers its path. */
async function speak(serveClient: (socket: Socket) => void): Promise<string> {
  const folder = await folderOf({});
  const sockets: Socket[] = [];
  const bad = createServer((socket) => {
    sockets.push(socket.on("error", () => undefined));
    serveClient(socket);
  });
  bad.listen(join(folder, "socket"));
  await once(bad, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    bad.close();
  });
  return join(folder, "socket");
}

describe("data by TLS", () => {
  it("arrives as it was sent, from several clients at once, in pieces of any size", async () => {
    const device = new ArrayDevice(16 * MIB);
    device.isLate = true;
    const served = await serve(device, { tls: VERIFYING });
    const tls = await certificatesOf(alice);
    await Promise.all(
      [0, 1, 2].map(async (index) => {
        const client = await NbdClient.connect({ unix: served.path, tls });
        const lengths = [1, 600, 4096, 70_001, MIB, 3 * MIB + 7];
        let at = index * 5 * MIB;
        for (const length of lengths) {
          const data = Buffer.alloc(length, `client ${String(index)} ${String(length)}`);
          await client.write(at, data);
          expect(Buffer.compare(await client.read(at, length), data)).toBe(0);
          at += length;
        }
        await client.close();
      }),
    );
    await quiet(served);
  });

  it("arrives whole when many replies are ready, and few may be", async () => {
    const device = new ArrayDevice(8 * MIB);
    for (let at = 0; at < device.bytes.length; at += 1) device.bytes[at] = (at * 7) >>> 3;
    const limits = { bytesInFlightMax: MIB, requestsInFlightMax: 8 };
    const served = await serve(device, { tls: PSK, limits });
    const client = await NbdClient.connect({ unix: served.path, tls: await keyOf(ALICES_KEY) });
    const pieceBytes = 256 * 1024;
    const pieces = Array.from({ length: 32 }, (_, index) => index * pieceBytes);
    const read = await Promise.all(pieces.map((at) => client.read(at, pieceBytes)));
    expect(Buffer.compare(Buffer.concat(read), device.bytes)).toBe(0);
    await client.close();
  });

  it("is answered whole to a client that half-closes behind more requests than are let in", async () => {
    const limits = { requestsInFlightMax: 2 };
    const served = await serve(new ArrayDevice(MIB), { tls: CERTIFICATE, limits });
    const client = served.connect();
    await client.greet();
    const secured = await client.startTls(TRUST);
    const reads = Array.from({ length: 9 }, () => request({ command: READ, length: 512 }));
    client.send(option(Option.Go, query("")), ...reads);
    secured.end();
    const answers = 20 + 12 + 20;
    expect(await client.takeAll()).toHaveLength(answers + 9 * (16 + 512));
    await quiet(served);
  });

  it("waits in the server's own memory while nobody reads it, and goes with its client", async () => {
    const served = await serve(new ArrayDevice(4 * MIB), { tls: CERTIFICATE });
    const client = served.connect();
    await readMuch(client);
    await vi.waitFor(() => {
      expect(served.server.counters.pagesInUse).toBeGreaterThan((8 * MIB) / 4096);
    });
    const [before, pagesBefore] = [process.memoryUsage().rss, served.server.counters.pagesInUse];
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(served.server.counters.pagesInUse).toBe(pagesBefore);
    expect(process.memoryUsage().rss - before).toBeLessThan(8 * MIB);
    client.vanish();
    await quiet(served);
  });
});

/** Asks for 32 MiB and more, and reads none of it. */
async function readMuch(client: RawClient): Promise<void> {
  await client.greet();
  await client.startTls(TRUST);
  client.send(option(Option.Go, query("")));
  while ((await client.optionReply()).type !== OptionReply.Ack);
  client.stopReading();
  for (let cookie = 1; cookie <= 64; cookie += 1) {
    client.send(request({ command: READ, cookie: BigInt(cookie), length: 2 * MIB }));
  }
}

describe("other certificates or keys", () => {
  it("are for whoever comes from then on; who is there goes on", async () => {
    const served = await serve(undefined, { tls: server });
    const trust = await certificatesOf(null);
    const before = await NbdClient.connect({ unix: served.path, tls: trust });
    const other = stranger.issue({ commonName: "server", hosts: ["localhost"] });
    const use = served.server.prepareTls(other);
    await (await NbdClient.connect({ unix: served.path, tls: trust })).close();
    use();
    await expect(NbdClient.connect({ unix: served.path, tls: trust })).rejects.toMatchObject({
      code: "NBD_TLS",
    });
    const after = await NbdClient.connect({
      unix: served.path,
      tls: await certificatesOf(null, stranger),
    });
    expect(await before.read(0, 512)).toHaveLength(512);
    expect(await after.read(0, 512)).toHaveLength(512);
    await Promise.all([before.close(), after.close()]);
  });

  it("that belong together with nothing are refused, and the old ones stay", async () => {
    const served = await serve(undefined, { tls: server });
    const broken = { ...server, key: alice.key };
    expect(() => served.server.prepareTls(broken)).toThrow(/^TLS cannot be spoken with this /);
    const client = await NbdClient.connect({ unix: served.path, tls: await certificatesOf(null) });
    await client.close();
  });

  it("are nothing for a server that speaks no TLS", async () => {
    const { server: plain } = await serve();
    expect(() => plain.prepareTls(server)).toThrow("this server speaks no TLS");
  });
});
