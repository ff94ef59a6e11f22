import { chmodSync, copyFileSync, mkdirSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { succeed } from "./tools.ts";
import type { Workbench } from "./workbench.ts";

/** Folders of certificates and keys, named as QEMU and libnbd name them. */
export interface Pki {
  /** The certificate of `localhost`. */
  readonly server: string;
  /** Alice's certificate. */
  readonly client: string;
  /** Knows the authority and has nothing to show. */
  readonly nobody: string;
  /** Alice's key, shared. */
  readonly keys: string;
  /** Another key, in Alice's name. */
  readonly wrongKeys: string;
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
const SECRET_MODE = 0o600;

/** Makes them with `openssl`, as the page on TLS does. */
export async function makePki(bench: Workbench): Promise<Pki> {
  const folder = (name: string): string => {
    mkdirSync(bench.path(name));
    return bench.path(name);
  };
  const request = (who: string, files: string, ...more: readonly string[]): Promise<string> => {
    const into = ["-keyout", `${files}-key.pem`, "-out", `${files}-cert.pem`];
    return succeed("openssl", [
      "req",
      "-x509",
      ...NEW_KEY,
      "-subj",
      `/CN=${who}`,
      ...into,
      ...more,
    ]);
  };
  const [server, client, nobody] = [folder("server"), folder("client"), folder("nobody")];
  const ca = join(folder("ca"), "ca");
  await request("authority", ca);
  const end = ["-addext", "basicConstraints=critical,CA:false"];
  const signed = ["-CA", `${ca}-cert.pem`, "-CAkey", `${ca}-key.pem`, ...end];
  const name = ["-addext", "subjectAltName=DNS:localhost"];
  await request("server", join(server, "server"), ...signed, ...name);
  await request("alice", join(client, "client"), ...signed);
  for (const each of [server, client, nobody])
    copyFileSync(`${ca}-cert.pem`, join(each, "ca-cert.pem"));
  const [keys, wrongKeys] = [folder("keys"), folder("wrong")].map((each) => {
    const file = bench.write(join(each, "keys.psk").slice(bench.folder.length + 1), pskLine());
    chmodSync(file, SECRET_MODE);
    return each;
  });
  return { server, client, nobody, keys: keys ?? "", wrongKeys: wrongKeys ?? "" };
}

function pskLine(): string {
  return `alice:${randomBytes(32).toString("hex")}\n`;
}
