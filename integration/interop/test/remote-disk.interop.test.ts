// A stack before another server goes on when that one is killed and started again, and loses nothing.
import { statSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { ServedStack } from "../src/served-stack.ts";
import { isMissing, succeed } from "../src/tools.ts";
import { eventually } from "../src/workbench.ts";

const MIB = 1024 * 1024;
const BASE = `
disks:
  base: { file: ./base.img, size: 24MiB, create: true }
exports:
  vm: { device: base }
`;

const server = new ServedStack();
const here = new ServedStack();

afterAll(async () => {
  await here.clear();
  await server.clear();
});

describe.skipIf(isMissing("nbdcopy"))("while nbdcopy writes", () => {
  it("a server is killed three times, and all that was copied is there", async () => {
    await server.serve(BASE);
    // Slowly, so that there is something left to copy each time.
    await here.serve(`
disks:
  remote:
    nbd: ${server.uriOf("vm")}
    connections: 4
    reconnect: reissue
    reconnectSeconds: 100
    writeThrough: true
groups:
  slow: "wbps=4194304"
exports:
  vm: { device: remote, group: slow }
`);
    const bench = here.bench;
    const source = bench.writePattern("in.raw", 24 * MIB);
    const copied = succeed("nbdcopy", [source, here.uriOf("vm")], { timeoutMs: 110_000 });
    for (const kills of [1, 2, 3]) {
      const image = server.bench.path("base.img");
      await eventually(() => {
        expect(statSync(image).blocks * 512).toBeGreaterThan(kills * 4 * MIB);
      }, 60_000);
      await server.served.stop("SIGKILL");
      await server.serve(BASE);
    }
    await copied;
    await succeed("nbdcopy", [server.uriOf("vm"), bench.path("out.raw")]);
    expect(await bench.sha256("out.raw")).toBe(await bench.sha256("in.raw"));
    expect(here.served.stderr.match(/connected again/g)?.length).toBe(3);
    expect(await here.served.stop()).toBe(0);
  });
});
