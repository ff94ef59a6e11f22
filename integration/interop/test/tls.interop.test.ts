// What standard clients make of TLS, with certificates and with keys.
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makePki, type Pki } from "../src/pki.ts";
import { Served } from "../src/served.ts";
import { isMissing, run, succeed } from "../src/tools.ts";
import { eventually, Workbench } from "../src/workbench.ts";

const MIB = 1024 * 1024;
const SIZE_BYTES = 64 * MIB;

const bench = new Workbench();
const servers: Served[] = [];
let pki: Pki;
/** By their certificates; on a socket, and on TCP. */
let byCertificate: Served;
let byKey: Served;
let filesBefore: string[] = [];

const image = ["--file", "disk.img"];

async function serve(...args: readonly string[]): Promise<Served> {
  const served = await Served.start([...image, ...args], bench.folder);
  servers.push(served);
  return served;
}

describe.skipIf(isMissing("openssl", "nbdinfo", "nbdcopy", "qemu-img"))("over TLS", () => {
  beforeAll(async () => {
    bench.writePattern("disk.img", SIZE_BYTES);
    pki = await makePki(bench);
    const sockets = ["--listen", "tcp:localhost:0", "--listen", "unix:certificate.sock"];
    byCertificate = await serve("--tls", pki.server, "--tls-verify-peer", ...sockets);
    byKey = await serve("--tls", pki.keys, "--read-only", "--listen", "unix:key.sock");
    filesBefore = byCertificate.openFiles();
  });

  afterAll(async () => {
    await Promise.all(servers.map((served) => served.stop("SIGKILL")));
    bench.clear();
  });

  const certificateUri = (folder: string): string =>
    `${byCertificate.uris[0] ?? ""}?tls-certificates=${folder}`;
  const keyUri = (folder: string): string =>
    `nbds+unix://alice@/?socket=${bench.path("key.sock")}&tls-psk-file=${join(folder, "keys.psk")}`;

  it("is what the addresses say", () => {
    expect(byCertificate.uris).toEqual([
      expect.stringMatching(/^nbds:\/\/localhost:\d+\/$/) as string,
      `nbds+unix:///?socket=${bench.path("certificate.sock")}`,
    ]);
  });

  it("nbdinfo sees the size, by certificates and by keys (X01, X02)", async () => {
    const size = `${String(SIZE_BYTES)}\n`;
    expect(await succeed("nbdinfo", ["--size", certificateUri(pki.client)])).toBe(size);
    const unix = `${byCertificate.uris[1] ?? ""}&tls-certificates=${pki.client}`;
    expect(await succeed("nbdinfo", ["--size", unix])).toBe(size);
    expect(await succeed("nbdinfo", ["--size", keyUri(pki.keys)])).toBe(size);
  });

  it("nbdinfo is told to use TLS when it does not (X03)", async () => {
    const socket = bench.path("key.sock");
    const { status, stderr } = await run("nbdinfo", ["--size", `nbd+unix:///?socket=${socket}`]);
    expect(status).toBe(1);
    expect(stderr).toMatch(/requires TLS encryption first/);
  });

  it("nobody is served with another key, or without a certificate (X04)", async () => {
    const wrong = await run("nbdinfo", ["--size", keyUri(pki.wrongKeys)]);
    const without = await run("nbdinfo", ["--size", certificateUri(pki.nobody)]);
    for (const { status, stdout } of [wrong, without]) {
      expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
    }
  });

  it("qemu-img sees the disk, by certificates and by keys (X05)", async () => {
    const psk = `tls-creds-psk,id=tls,dir=${pki.keys},username=alice,endpoint=client`;
    const byPsk = `server.type=unix,server.path=${bench.path("key.sock")}`;
    const x509 = `tls-creds-x509,id=tls,dir=${pki.client},endpoint=client`;
    const port = /:(?<port>\d+)\//.exec(byCertificate.uris[0] ?? "")?.groups?.["port"] ?? "";
    const byX509 = `host=localhost,port=${port}`;
    for (const [credentials, where] of [
      [psk, byPsk],
      [x509, byX509],
    ] as const) {
      const disk = `driver=nbd,${where},tls-creds=tls`;
      const args = ["info", "--output=json", "--object", credentials, "--image-opts", disk];
      const info = JSON.parse(await succeed("qemu-img", args)) as Record<string, unknown>;
      expect(info["virtual-size"]).toBe(SIZE_BYTES);
    }
  });

  it("nbdcopy moves random data over four connections, there and back (X10)", async () => {
    await succeed("openssl", ["rand", "-out", bench.path("random.img"), String(SIZE_BYTES)]);
    const uri = certificateUri(pki.client);
    await succeed("nbdcopy", ["--connections=4", "--flush", bench.path("random.img"), uri]);
    await succeed("nbdcopy", ["--connections=4", uri, bench.path("back.img")]);
    expect(await bench.sha256("back.img")).toBe(await bench.sha256("random.img"));
    expect(await bench.sha256("disk.img")).toBe(await bench.sha256("random.img"));
  });

  it("a cut in the middle is an error for the client, and nothing for the server (X10)", async () => {
    const between = await cutAfter(bench.path("certificate.sock"), 8 * MIB);
    const { port } = between.address() as AddressInfo;
    const uri = `nbds://localhost:${String(port)}/?tls-certificates=${pki.client}`;
    const { status } = await run("nbdcopy", ["--connections=4", uri, bench.path("cut.img")]);
    between.close();
    expect(status).toBe(1);
    await eventually(() => {
      expect(byCertificate.openFiles()).toEqual(filesBefore);
    });
    expect(await succeed("nbdinfo", ["--size", certificateUri(pki.client)])).toMatch(/^\d+\n$/);
    expect(byCertificate.stderr).toBe("");
  });

  it("ends like any other server", async () => {
    expect(await byKey.stop()).toBe(0);
  });
});

/** Leads clients to the socket at `path`, and cuts each off behind so many bytes from there. */
async function cutAfter(path: string, bytes: number): Promise<Server> {
  const between = createServer((client) => {
    const inner = connect(path);
    let left = bytes;
    const cut = (): void => {
      client.destroy();
      inner.destroy();
    };
    for (const socket of [client, inner]) socket.on("error", cut).on("close", cut);
    client.pipe(inner).pipe(client);
    inner.on("data", (chunk: Buffer) => {
      left -= chunk.length;
      if (left <= 0) cut();
    });
  });
  between.listen(0, "localhost");
  await once(between, "listening");
  return between;
}
