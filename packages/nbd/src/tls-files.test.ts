import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { ArrayDevice } from "../test/array-device.ts";
import { Authority } from "../test/certificates.ts";
import { serve } from "../test/serve.ts";
import { readServerTls } from "./index.ts";

const SECRET_MODE = 0o600;

const authority = new Authority();
const { certificate, key } = authority.issue({ commonName: "server", hosts: ["localhost"] });
const SERVER = { "server-cert.pem": certificate, "server-key.pem": key };

async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "nbd-tls-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    await writeFile(join(folder, name), text);
    await chmod(join(folder, name), SECRET_MODE);
  }
  return folder;
}

describe("a folder of certificates", () => {
  it("is read for clients that show nothing, and for those that are verified", async () => {
    const folder = await folderOf({ ...SERVER, "ca-cert.pem": authority.certificate });
    expect(await readServerTls(folder)).toEqual({ certificate, key });
    const verifying = { certificate, key, clientAuthorities: authority.certificate };
    expect(await readServerTls(folder, { verifiesClients: true })).toEqual(verifying);
    const revoked = authority.revoke();
    await writeFile(join(folder, "ca-crl.pem"), revoked);
    expect(await readServerTls(folder, { verifiesClients: true })).toEqual({
      ...verifying,
      revoked,
    });
  });

  it("warns of a key that others may read, and only then", async () => {
    const warnings: string[] = [];
    const warn = (message: string) => void warnings.push(message);
    const folder = await folderOf(SERVER);
    await readServerTls(folder, { warn });
    expect(warnings).toEqual([]);
    await chmod(join(folder, "server-key.pem"), 0o640);
    await readServerTls(folder, { warn });
    expect(warnings).toEqual([
      `${folder}/server-key.pem is a secret, but not its owner's alone: chmod 600 it`,
    ]);
  });

  it("may have keys instead, in lines as psktool writes them", async () => {
    const folder = await folderOf({ "keys.psk": "alice:00ff\n\nbob:1234ABCD\n" });
    const keys = new Map([
      ["alice", Buffer.from([0, 255])],
      ["bob", Buffer.from([0x12, 0x34, 0xab, 0xcd])],
    ]);
    expect(await readServerTls(folder)).toEqual({ keys });
  });

  it.each([
    ["nothing", {}, false, /has neither server-cert.pem, with server-key.pem, nor keys.psk/],
    ["no key", { "server-cert.pem": certificate }, false, /server-key.pem is not there/],
    ["both kinds", { ...SERVER, "keys.psk": "a:00" }, false, /has keys.psk and server-cert.pem/],
    ["no authority for clients", SERVER, true, /ca-cert.pem is not there/],
    ["keys, and clients to verify", { "keys.psk": "a:00" }, true, /tells clients apart already/],
    ["a key of odd digits", { "keys.psk": "a:00\nb:123\n" }, false, /keys.psk:2 is no USER:KEY/],
    ["no keys", { "keys.psk": "\n" }, false, /has no keys; psktool makes them/],
  ])("with %s is refused", async (_what, files, verifiesClients, why) => {
    const folder = await folderOf(files);
    await expect(readServerTls(folder, { verifiesClients })).rejects.toThrow(why);
  });

  it("whose key is of another certificate is refused when it is to be used", async () => {
    const other = authority.issue({ commonName: "other" });
    const tls = { certificate, key: other.key };
    await expect(serve(new ArrayDevice(4096), { tls })).rejects.toMatchObject({
      code: "BLK_DEVICE",
      message: expect.stringMatching(
        /^TLS cannot be spoken with this .*: key values mismatch$/,
      ) as string,
    });
  });
});
