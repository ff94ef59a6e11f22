import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, vi } from "vitest";
import type { ClientTls, ServerTls } from "../src/index.ts";
import { Authority, type Identity } from "./certificates.ts";
import type { Served } from "./serve.ts";

export const authority: Authority = new Authority();
export const stranger: Authority = new Authority("stranger");
export const server: Identity = authority.issue({ commonName: "server", hosts: ["localhost"] });
export const alice: Identity = authority.issue({ commonName: "alice" });
export const mallory: Identity = authority.issue({ commonName: "mallory" });

export const CERTIFICATE: ServerTls = { ...server };
export const VERIFYING: ServerTls = {
  ...server,
  clientAuthorities: authority.certificate,
  revoked: authority.revoke(mallory),
};
export const PSK: ServerTls = { keys: new Map([["alice", Buffer.alloc(32, 7)]]) };
export const ALICES_KEY = `alice:${"07".repeat(32)}\n`;

/** What a raw client trusts. */
export const TRUST: { readonly ca: string; readonly servername: string } = {
  ca: authority.certificate,
  servername: "localhost",
};

/** A folder with these files, for the length of a test. */
export async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "nbd-tls-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

export async function certificatesOf(who: Identity | null, ca = authority): Promise<ClientTls> {
  const own = who === null ? {} : { "client-cert.pem": who.certificate, "client-key.pem": who.key };
  return { certificates: await folderOf({ "ca-cert.pem": ca.certificate, ...own }) };
}

export async function keyOf(line: string, user?: string): Promise<ClientTls> {
  const pskFile = join(await folderOf({ keys: line }), "keys");
  return user === undefined ? { pskFile } : { pskFile, user };
}

/** Nothing is left of any client. */
export async function quiet(served: Pick<Served, "server">): Promise<void> {
  await vi.waitFor(() => {
    expect(served.server.counters).toEqual({
      halfOpen: 0,
      connections: 0,
      pagesInUse: 0,
      replyBytes: 0,
    });
  });
}
