// What a server that speaks TLS says of itself, and what clients make of it by TCP. What they make of any
// such server are rows of the conformance suites.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makePki, type Pki } from "../src/pki.ts";
import { Served } from "../src/served.ts";
import { isMissing, succeed } from "../src/tools.ts";
import { Workbench } from "../src/workbench.ts";

const SIZE_BYTES = 64 * 1024 * 1024;

const bench = new Workbench();
let pki: Pki;
let served: Served;

describe.skipIf(isMissing("openssl", "nbdinfo", "qemu-img"))("by TCP", () => {
  beforeAll(async () => {
    bench.writePattern("disk.img", SIZE_BYTES);
    pki = await makePki(bench);
    const sockets = ["--listen", "tcp:localhost:0", "--listen", "unix:certificate.sock"];
    const tls = ["--tls", pki.server, "--tls-verify-peer"];
    served = await Served.start(["--file", "disk.img", ...tls, ...sockets], bench.folder);
  });

  afterAll(async () => {
    await served.stop("SIGKILL");
    bench.clear();
  });

  it("TLS is what the addresses say", () => {
    expect(served.uris).toEqual([
      expect.stringMatching(/^nbds:\/\/localhost:\d+\/$/) as string,
      `nbds+unix:///?socket=${bench.path("certificate.sock")}`,
    ]);
  });

  it("nbdinfo sees the size", async () => {
    const uri = `${served.uris[0] ?? ""}?tls-certificates=${pki.client}`;
    expect(await succeed("nbdinfo", ["--size", uri])).toBe(`${String(SIZE_BYTES)}\n`);
  });

  it("qemu-img sees the disk", async () => {
    const credentials = `tls-creds-x509,id=tls,dir=${pki.client},endpoint=client`;
    const port = /:(?<port>\d+)\//.exec(served.uris[0] ?? "")?.groups?.["port"] ?? "";
    const disk = `driver=nbd,host=localhost,port=${port},tls-creds=tls`;
    const args = ["info", "--output=json", "--object", credentials, "--image-opts", disk];
    const info = JSON.parse(await succeed("qemu-img", args)) as Record<string, unknown>;
    expect(info["virtual-size"]).toBe(SIZE_BYTES);
  });

  it("it ends like any other server, and has said nothing", async () => {
    expect(await served.stop()).toBe(0);
    expect(served.stderr).toBe("");
  });
});
