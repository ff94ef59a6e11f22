import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { option, query } from "../test/raw-client.ts";
import { serve } from "../test/serve.ts";
import {
  alice,
  ALICES_KEY,
  authority,
  CERTIFICATE,
  certificatesOf,
  folderOf,
  keyOf,
  mallory,
  PSK,
  quiet,
  stranger,
  VERIFYING,
} from "../test/tls-parties.ts";
import { NbdClient, NbdError } from "./index.ts";
import { Option, OptionReply } from "./wire.ts";

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
