import { X509Certificate } from "node:crypto";
import { resolve } from "node:path";
import { type NbdServer, readServerTls, type ServerTls } from "@blkstack/nbd";
import type { TlsFlags } from "./tls.ts";
import { UserError } from "./user-error.ts";

/** The folder that `--tls` names, and what its files said when they were put to use. */
export class TlsFolder {
  /** As the user calls it. */
  readonly name: string;
  readonly #read: () => Promise<ServerTls>;
  #inUse: ServerTls;

  private constructor(name: string, read: () => Promise<ServerTls>, inUse: ServerTls) {
    this.name = name;
    this.#read = read;
    this.#inUse = inUse;
  }

  /** Null: `--tls` was not given. Throws a BlockError for files that are missing or wrong. */
  static async open(
    { tls: folder, tlsMode, tlsVerifyPeer = false }: TlsFlags,
    cwd: string,
    warn: (message: string) => void,
  ): Promise<TlsFolder | null> {
    if (folder === undefined) return null;
    const files = { verifiesClients: tlsVerifyPeer, warn };
    const read = async (): Promise<ServerTls> => {
      const tls = await readServerTls(resolve(cwd, folder), files);
      return { ...tls, isRequired: tlsMode !== "on" };
    };
    const inUse = await read();
    const expired = whenExpired(inUse);
    if (expired !== null) warn(`TLS: ${folder}/server-cert.pem has expired on ${expired}`);
    return new TlsFolder(folder, read, inUse);
  }

  get inUse(): ServerTls {
    return this.#inUse;
  }

  /**
   * Reads the files again. Answers what has a server use them, and does not throw; null: they are as
   * they were. Throws a UserError or BlockError for what no client could be served with.
   */
  async reread(server: NbdServer): Promise<(() => void) | null> {
    const tls = await this.#read();
    if (textOf(tls) === textOf(this.#inUse)) return null;
    const expired = whenExpired(tls);
    if (expired !== null) {
      throw new UserError(`TLS: ${this.name}/server-cert.pem has expired on ${expired}`);
    }
    const use = server.prepareTls(tls);
    return () => {
      use();
      this.#inUse = tls;
    };
  }
}

function textOf(tls: ServerTls): string {
  if (!("keys" in tls)) return JSON.stringify(tls);
  return JSON.stringify([...tls.keys].map(([user, key]) => [user, [...key]]));
}

/** Null: it has not, or is none. */
function whenExpired(tls: ServerTls): string | null {
  if ("keys" in tls) return null;
  let validTo: string;
  try {
    ({ validTo } = new X509Certificate(tls.certificate));
  } catch {
    // Whoever tries to use it says what is wrong with it.
    return null;
  }
  return Date.parse(validTo) < Date.now() ? validTo : null;
}
