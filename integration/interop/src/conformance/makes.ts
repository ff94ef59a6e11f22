import { writeFileSync } from "node:fs";
import type { Pki } from "../pki.ts";
import { BLKSTACK } from "../served.ts";

/**
 * What a server is for: an image to be written to, one that is read-only and stays one hole, one of
 * 5 GiB; and one for clients with Alice's certificate, and one for those with her key.
 */
export type Role = "disk" | "kept" | "big" | "certificate" | "key";

export const PLAIN_ROLES: readonly Role[] = ["disk", "kept", "big"];
const ALL_ROLES: readonly Role[] = [...PLAIN_ROLES, "certificate", "key"];

interface Place {
  readonly role: Role;
  readonly image: string;
  readonly socket: string;
  readonly pki: Pki | null;
  readonly pidFile: string | undefined;
}

/** How one make of servers is started. */
export interface Make {
  readonly name: string;
  /** A command that prints the version. */
  readonly version: readonly string[];
  /** What its one export is called: nothing, where the name can be left out. */
  readonly exportName: string;
  /** Whether it goes to the background, and writes into a file which process it is. */
  readonly leavesPid?: boolean;
  readonly roles: readonly Role[];
  /** The command that serves an image on a socket. */
  readonly serve: (place: Place) => readonly string[];
  /** The command that serves an image on a socket that it inherits, if it can. */
  readonly serveInherited?: (image: string) => readonly string[];
}

export const OURS: Make = {
  name: "blkstack",
  version: [BLKSTACK, "--version"],
  exportName: "",
  roles: ALL_ROLES,
  serve: ({ role, image, socket, pki }) => [
    ...[BLKSTACK, "serve", "--listen", `unix:${socket}`],
    ...(role === "disk" || role === "kept"
      ? [writeStack(image, role === "kept")]
      : ["--file", image]),
    // Who asks for TLS first shall find nothing of what was said in clear: so clear must be served.
    ...(role === "certificate"
      ? ["--tls", folderOf(pki, "server"), "--tls-verify-peer", "--tls-mode", "on"]
      : []),
    ...(role === "key" ? ["--tls", folderOf(pki, "keys")] : []),
  ],
  serveInherited: (image) => [BLKSTACK, "serve", "--file", image],
};

const NBDKIT: Make = {
  name: "nbdkit",
  version: ["nbdkit", "--version"],
  exportName: "",
  roles: ALL_ROLES,
  serve: ({ role, image, socket, pki }) => [
    ...["nbdkit", "-f", "-U", socket, ...(role === "kept" ? ["-r"] : [])],
    ...(role === "certificate"
      ? ["--tls=on", `--tls-certificates=${folderOf(pki, "server")}`, "--tls-verify-peer"]
      : []),
    ...(role === "key" ? ["--tls=require", `--tls-psk=${folderOf(pki, "keys")}/keys.psk`] : []),
    ...["file", image],
  ],
  serveInherited: (image) => ["nbdkit", "-f", "file", image],
};

const QEMU_NBD: Make = {
  name: "qemu-nbd",
  version: ["qemu-nbd", "--version"],
  exportName: "",
  roles: ALL_ROLES,
  serve: ({ role, image, socket, pki }) => [
    ...["qemu-nbd", "-f", "raw", "-t", "-e", "2000", "-k", socket],
    ...["--discard=unmap", ...(role === "kept" ? ["-r"] : [])],
    ...(role === "certificate"
      ? qemuTls(`tls-creds-x509,verify-peer=yes,dir=${folderOf(pki, "server")}`)
      : []),
    ...(role === "key" ? qemuTls(`tls-creds-psk,dir=${folderOf(pki, "keys")}`) : []),
    image,
  ],
  serveInherited: (image) => ["qemu-nbd", "-f", "raw", image],
};

const NBD_SERVER: Make = {
  name: "nbd-server",
  version: ["nbd-server", "-V"],
  exportName: "disk",
  // In the foreground it has one client at a time.
  leavesPid: true,
  roles: [...PLAIN_ROLES, "certificate"],
  serve: ({ role, image, socket, pki, pidFile = "" }) => {
    const tls = role === "certificate" ? folderOf(pki, "server") : null;
    const lines = [
      ...["[generic]", `unixsock = ${socket}`, "allowlist = true"],
      ...(tls === null
        ? []
        : [
            `certfile = ${tls}/server-cert.pem`,
            `keyfile = ${tls}/server-key.pem`,
            `cacertfile = ${tls}/ca-cert.pem`,
          ]),
      ...["[disk]", `exportname = ${image}`, `readonly = ${String(role === "kept")}`],
      ...["flush = true", "fua = true", "trim = true"],
    ];
    writeFileSync(`${image}.conf`, `${lines.join("\n")}\n`);
    return ["nbd-server", "-C", `${image}.conf`, "-p", pidFile];
  },
};

export const PEERS: readonly Make[] = [NBDKIT, QEMU_NBD, NBD_SERVER];

/** Three segments of two files, so that rows are held to across their lines as well. */
function writeStack(image: string, isReadOnly: boolean): string {
  const lines = [
    "disks:",
    `  a: { file: ${image} }`,
    `  b: { file: ${image}.second, size: 20MiB, create: true }`,
    "devices:",
    "  joined: |",
    "    0 65536 linear a 2048",
    "    65536 40960 linear b 0",
    "    106496 24576 linear a 98304",
    "exports:",
    `  joined: { device: joined, readOnly: ${String(isReadOnly)} }`,
  ];
  writeFileSync(`${image}.yaml`, `${lines.join("\n")}\n`);
  return `${image}.yaml`;
}

function qemuTls(credentials: string): string[] {
  return ["--object", `${credentials},id=tls,endpoint=server`, "--tls-creds", "tls"];
}

function folderOf(pki: Pki | null, folder: "server" | "keys"): string {
  if (pki === null) throw new Error("there are no certificates without openssl");
  return pki[folder];
}
