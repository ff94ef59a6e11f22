// What was acknowledged is still there when the server was killed and started again.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Served } from "../src/served.ts";
import { isMissing, succeed } from "../src/tools.ts";
import { Workbench } from "../src/workbench.ts";

const MIB = 1024 * 1024;
const STACK = `
disks:
  a: { file: ./a.img, size: 8MiB, create: true }
  b: { file: ./b.img, size: 8MiB, create: true }
devices:
  joined: |
    0 16384 linear a 0
    16384 16384 linear b 0
exports:
  joined: { device: joined }
`;

const bench = new Workbench();
const args = ["stack.yaml", "--listen", `unix:${bench.path("nbd.sock")}`];
let served: Served;

beforeAll(async () => {
  bench.write("stack.yaml", STACK);
  bench.writePattern("in.raw", 16 * MIB);
  served = await Served.start(args, bench.folder);
});

afterAll(async () => {
  await served.stop();
  bench.clear();
});

describe.skipIf(isMissing("nbdcopy"))("after a kill -9", () => {
  it("a server takes the place of the dead one, with all that nbdcopy was told is written", async () => {
    const [uri = ""] = served.uris;
    await succeed("nbdcopy", [bench.path("in.raw"), uri]);
    expect(await served.stop("SIGKILL")).toBe(null);
    served = await Served.start(args, bench.folder);
    await succeed("nbdcopy", [uri, bench.path("out.raw")]);
    expect(await bench.sha256("out.raw")).toBe(await bench.sha256("in.raw"));
  });
});
