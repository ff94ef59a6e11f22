import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { BlockError } from "@blkstack/block";
import type { ServerTls } from "./server-tls.ts";

const AUTHORITIES = "ca-cert.pem";
const REVOKED = "ca-crl.pem";
const SERVER_CERTIFICATE = "server-cert.pem";
const SERVER_KEY = "server-key.pem";
const PSK_KEYS = "keys.psk";

/** The rights of group and others. */
const OTHERS_MODE = 0o077;

export interface ServerTlsFiles {
  /** Whether clients must show a certificate that `ca-cert.pem` signed. Default: false. */
  readonly verifiesClients?: boolean;
  /** Is told what should be otherwise: that others may read a key. */
  readonly warn?: (message: string) => void;
}

/**
 * Reads with what a server speaks TLS from a folder whose files are named as those of QEMU and libnbd:
 * `server-cert.pem`, `server-key.pem`, and to verify clients `ca-cert.pem` and, if it is there,
 * `ca-crl.pem`; or `keys.psk` with a line `user:key` for each user, the key in hexadecimal digits.
 *
 * Throws a BlockError, `BLK_DEVICE`, that says which file is missing or wrong.
 */
export async function readServerTls(
  folder: string,
  { verifiesClients = false, warn = () => undefined }: ServerTlsFiles = {},
): Promise<ServerTls> {
  const keys = await readIfThere(join(folder, PSK_KEYS));
  const certificate = await readIfThere(join(folder, SERVER_CERTIFICATE));
  if (keys !== null && certificate !== null) {
    throw refusal(
      folder,
      `has ${PSK_KEYS} and ${SERVER_CERTIFICATE}; one of them, in a folder of its own`,
    );
  }
  if (keys !== null) {
    if (verifiesClients)
      throw refusal(folder, `${PSK_KEYS} tells clients apart already; no certificates are shown`);
    await warnIfReadable(join(folder, PSK_KEYS), warn);
    return { keys: parsePskKeys(keys, join(folder, PSK_KEYS)) };
  }
  if (certificate === null) {
    throw refusal(folder, `has neither ${SERVER_CERTIFICATE}, with ${SERVER_KEY}, nor ${PSK_KEYS}`);
  }
  const key = await readTlsFile(join(folder, SERVER_KEY));
  await warnIfReadable(join(folder, SERVER_KEY), warn);
  if (!verifiesClients) return { certificate, key };
  const clientAuthorities = await readTlsFile(join(folder, AUTHORITIES));
  const revoked = await readIfThere(join(folder, REVOKED));
  return { certificate, key, clientAuthorities, ...(revoked === null ? {} : { revoked }) };
}

/** Keys by user. Throws a BlockError that names file and line; never the key. */
export function parsePskKeys(text: string, path: string): Map<string, Buffer> {
  const keys = new Map<string, Buffer>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "") continue;
    const { user, key } =
      /^(?<user>[^:]+):(?<key>(?:[0-9a-fA-F]{2})+)\s*$/.exec(line)?.groups ?? {};
    if (user === undefined || key === undefined) {
      throw refusal(
        `${path}:${String(index + 1)}`,
        "is no USER:KEY with the key in hexadecimal digits",
      );
    }
    keys.set(user, Buffer.from(key, "hex"));
  }
  if (keys.size === 0) throw refusal(path, "has no keys; psktool makes them");
  return keys;
}

/** Throws a BlockError when it cannot be read. */
export async function readTlsFile(path: string): Promise<string> {
  const text = await readIfThere(path);
  if (text === null) throw refusal(path, "is not there");
  return text;
}

/** Null: there is no such file. */
export async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const { code = "", message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return null;
    throw refusal(path, `cannot be read: ${message}`);
  }
}

async function warnIfReadable(path: string, warn: (message: string) => void): Promise<void> {
  const { mode } = await stat(path);
  if ((mode & OTHERS_MODE) !== 0)
    warn(`${path} is a secret, but not its owner's alone: chmod 600 it`);
}

function refusal(where: string, why: string): BlockError {
  return new BlockError("BLK_DEVICE", "EINVAL", `TLS: ${where} ${why}`);
}
