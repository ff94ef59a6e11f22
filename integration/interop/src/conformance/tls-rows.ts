import { equal, match, ok } from "node:assert/strict";
import { relayTo } from "../relay.ts";
import {
  agree,
  ask,
  Command,
  Errno,
  goData,
  greet,
  option,
  Option,
  OptionReply,
  readOptionEnd,
} from "../raw-protocol.ts";
import { metaContextData } from "../raw-structured.ts";
import { startTls } from "../raw-tls.ts";
import { run, succeed } from "../tools.ts";
import { eventually } from "../workbench.ts";
import type { Role } from "./makes.ts";
import type { Row } from "./row.ts";
import { runScript } from "./script-row.ts";
import { SIZE_BYTES } from "./target.ts";

const MIB = 1024 * 1024;
const SIZE_LINE = `${String(SIZE_BYTES)}\n`;
const RELEASE_MS = 10_000;

/** A row of servers that speak TLS: without `openssl` there are none. */
function tlsRow(row: Row & { readonly roles: readonly Role[] }): Row {
  return { ...row, needs: ["openssl", ...(row.needs ?? [])] };
}

async function isRefused(uri: string): Promise<void> {
  const { status, stdout } = await run("nbdinfo", ["--size", uri]);
  equal(stdout, "");
  equal(status, 1);
}

/** The size that QEMU sees with these credentials. */
async function sizeForQemu(credentials: string, socket: string): Promise<unknown> {
  const server = `driver=nbd,server.type=unix,server.path=${socket}`;
  const disk = `${server},tls-creds=tls,tls-hostname=localhost`;
  const object = `${credentials},id=tls,endpoint=client`;
  const args = ["info", "--output=json", "--object", object, "--image-opts", disk];
  const info = JSON.parse(await succeed("qemu-img", args)) as Record<string, unknown>;
  return info["virtual-size"];
}

/** What servers that speak TLS make of clients with certificates, with keys, and with neither. */
export const TLS_ROWS: readonly Row[] = [
  tlsRow({
    id: "X01",
    says: "nbdinfo: the size, by certificates of both sides",
    roles: ["certificate"],
    needs: ["nbdinfo"],
    check: async (target) => {
      equal(await succeed("nbdinfo", ["--size", target.certificateUri()]), SIZE_LINE);
    },
  }),
  tlsRow({
    id: "X02",
    says: "nbdinfo: the size, by a shared key",
    roles: ["key"],
    needs: ["nbdinfo"],
    check: async (target) => {
      equal(await succeed("nbdinfo", ["--size", target.keyUri()]), SIZE_LINE);
    },
  }),
  tlsRow({
    id: "X03",
    says: "nbdinfo: who does not use TLS where it is required is told so",
    roles: ["key"],
    needs: ["nbdinfo"],
    check: async (target) => {
      const { status, stderr } = await run("nbdinfo", ["--size", target.uri("key")]);
      equal(status, 1);
      match(stderr, /requires TLS encryption first/);
    },
  }),
  tlsRow({
    id: "X04",
    says: "nbdinfo: nobody is served with another key, or without a certificate",
    roles: ["certificate", "key"],
    needs: ["nbdinfo"],
    check: async (target) => {
      await isRefused(target.keyUri(target.pki.wrongKeys));
      await isRefused(target.certificateUri(target.pki.nobody));
    },
  }),
  tlsRow({
    id: "X05",
    says: "qemu-img: the size, by certificates and by a shared key",
    roles: ["certificate", "key"],
    needs: ["qemu-img"],
    check: async (target) => {
      const { client, keys } = target.pki;
      const byCertificate = `tls-creds-x509,dir=${client}`;
      equal(await sizeForQemu(byCertificate, target.socket("certificate")), SIZE_BYTES);
      const byKey = `tls-creds-psk,dir=${keys},username=alice`;
      equal(await sizeForQemu(byKey, target.socket("key")), SIZE_BYTES);
    },
  }),
  tlsRow({
    id: "X06",
    says: "STARTTLS again: invalid, and the session goes on",
    roles: ["certificate"],
    check: async (target) => {
      const client = await startTls(await greet(target.socket("certificate")), target.pki);
      client.send(option(Option.StartTls));
      equal((await readOptionEnd(client)).type, OptionReply.Invalid);
      await agree(client, option(Option.Go, goData(target.make.exportName)));
      equal(await ask(client, { command: Command.Read, length: 512 }), Errno.Ok);
      client.vanish();
    },
  }),
  tlsRow({
    id: "X07",
    says: "what was agreed on in clear is forgotten: replies are simple, no context is chosen",
    roles: ["certificate"],
    check: async (target) => {
      const clear = await greet(target.socket("certificate"));
      // Whoever requires TLS refuses them, which is as good.
      clear.send(option(Option.StructuredReply));
      await readOptionEnd(clear);
      clear.send(option(Option.SetMetaContext, metaContextData("", ["base:allocation"])));
      await readOptionEnd(clear);
      const client = await startTls(clear, target.pki);
      await agree(client, option(Option.Go, goData(target.make.exportName)));
      equal(await ask(client, { command: Command.Read, length: 512 }), Errno.Ok);
      equal(await ask(client, { command: Command.BlockStatus, length: 512 }), Errno.Inval);
      client.vanish();
    },
  }),
  tlsRow({
    id: "X08",
    says: "an option in clear right behind STARTTLS: never answered, and closed",
    roles: ["certificate"],
    check: async (target) => {
      const client = await greet(target.socket("certificate"));
      client.send(option(Option.StartTls), option(Option.List));
      const answer = await client.readToEnd();
      // 20 bytes acknowledge STARTTLS; what follows, if anything, is of TLS.
      const listed = Buffer.alloc(4);
      listed.writeUInt32BE(Option.List);
      ok(!answer.subarray(8, 12).equals(listed), "LIST is answered");
      ok(!answer.subarray(28, 32).equals(listed), "LIST is answered");
    },
  }),
  tlsRow({
    id: "X09",
    says: "before TLS where it is required: every option is told so, EXPORT_NAME closes",
    roles: ["key"],
    check: async (target) => {
      const client = await greet(target.socket("key"));
      const metadata = metaContextData("", ["base:allocation"]);
      for (const early of [
        option(Option.List),
        option(Option.Info, goData("")),
        option(Option.Go, goData("")),
        option(Option.StructuredReply),
        option(Option.ListMetaContext, metadata),
        option(Option.SetMetaContext, metadata),
      ]) {
        client.send(early);
        equal((await readOptionEnd(client)).type, OptionReply.TlsRequired);
      }
      // That it may leave need not be told.
      client.send(option(Option.Abort));
      const { type } = await readOptionEnd(client);
      ok(
        type === OptionReply.Ack || type === OptionReply.TlsRequired,
        `answer ${type.toString(16)}`,
      );
      const other = await greet(target.socket("key"));
      other.send(option(Option.ExportName));
      equal((await other.readToEnd()).length, 0);
    },
  }),
  tlsRow({
    id: "X10",
    says: "nbdcopy: random data over four connections, there and back; a cut is an error",
    roles: ["certificate"],
    needs: ["nbdcopy", "nbdinfo"],
    check: async (target) => {
      const folder = target.makeFolder();
      const uri = target.certificateUri();
      const copies = `head -c ${String(SIZE_BYTES)} /dev/urandom >a
        nbdcopy --connections=4 --flush a "${uri}"
        nbdcopy --connections=4 "${uri}" b
        cmp a b`;
      await runScript(target, copies, folder);
      const filesBefore = target.openFileCount("certificate");
      const relay = await relayTo(target.socket("certificate"), 8 * MIB);
      const certificates = `tls-certificates=${target.pki.client}`;
      const cut = `nbds://localhost:${String(relay.port)}/${target.make.exportName}?${certificates}`;
      const { status } = await run("nbdcopy", ["--connections=4", cut, `${folder}/cut`]);
      relay.close();
      equal(status, 1);
      await eventually(() => {
        equal(target.openFileCount("certificate"), filesBefore, "files stay open");
      }, RELEASE_MS);
      equal(await succeed("nbdinfo", ["--size", uri]), SIZE_LINE);
    },
  }),
];
