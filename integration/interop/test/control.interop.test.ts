// The stack is changed while clients use it: they wait, and nothing else.
import { once } from "node:events";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CONTROL, ServedStack } from "../src/served-stack.ts";
import { isMissing, succeed } from "../src/tools.ts";

const MIB = 1024 * 1024;
const CHANGES = 50;
const STACK = `
disks:
  base: { file: ./base.img, size: 8MiB, create: true }
  cow: { file: ./cow.img, size: 16MiB, create: true }
devices:
  vm: 0 16384 linear base 0
exports:
  vm: { device: vm }
`;
/** All of them show the same disk. */
const TABLES = [
  "0 16384 snapshot-origin base",
  "0 5000 linear base 0\n5000 11384 linear base 5000",
  "0 16384 linear base 0",
];

const stack = new ServedStack();
const { bench } = stack;

beforeAll(() => stack.serve(STACK, ...CONTROL));

afterAll(() => stack.clear());

/** Puts one table after the other in place, as fast as the server does it; answers how to end that. */
async function changeAllTheTime(): Promise<() => Promise<number>> {
  const socket = connect(bench.path("control.sock"));
  await once(socket, "connect");
  const answers = createInterface({ input: socket })[Symbol.asyncIterator]();
  const ask = async (request: object): Promise<void> => {
    socket.write(`${JSON.stringify({ name: "vm", ...request })}\n`);
    const answer = await answers.next();
    expect(JSON.parse(String(answer.value))).toMatchObject({ devices: [{ name: "vm" }] });
  };
  const over = new AbortController();
  const changing = (async () => {
    let changes = 0;
    for (; !over.signal.aborted; changes += 1) {
      await ask({ verb: "dm suspend", noflush: changes % 2 === 1 });
      await ask({ verb: "dm reload", table: TABLES[changes % TABLES.length] });
      await ask({ verb: "dm resume" });
      // Some load between two changes, too.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    socket.destroy();
    return changes;
  })();
  return () => {
    over.abort();
    return changing;
  };
}

describe.skipIf(isMissing("fio"))("fio", () => {
  it(`finds all that it wrote while the table of its disk is changed ${String(CHANGES)} times and more`, async () => {
    const load = ["--rw=randwrite", "--bs=4k", "--iodepth=16", "--size=8M", "--verify=crc32c"];
    const job = ["--name=disk", "--ioengine=nbd", `--uri=${stack.uriOf("vm")}`, ...load];
    let changes = 0;
    while (changes < CHANGES) {
      const stop = await changeAllTheTime();
      try {
        const verify = ["--verify_fatal=1", "--verify_backlog=256", "--verify_state_save=0"];
        await succeed("fio", [...verify, ...job], { cwd: bench.folder });
      } finally {
        changes += await stop();
      }
    }
  });
});

describe.skipIf(isMissing("nbdcopy", "qemu-img"))(
  "a snapshot that is taken of a running server",
  () => {
    it("is read by nbdcopy and qemu-img, while the disk goes on", async () => {
      bench.writePattern("before.raw", 8 * MIB);
      bench.write("after.raw", Buffer.alloc(8 * MIB, 7));
      await succeed("nbdcopy", [bench.path("before.raw"), stack.uriOf("vm")]);
      await stack.command("dm", "reload", "vm", "--table", "0 16384 snapshot-origin base");
      await stack.command("dm", "suspend", "vm");
      await stack.command("dm", "create", "before", "--table", "0 16384 snapshot base cow P 16");
      await stack.command("dm", "resume", "vm");
      await stack.command("export", "add", "before", "--read-only");
      await succeed("nbdcopy", [bench.path("after.raw"), stack.uriOf("vm")]);
      await succeed("nbdcopy", [stack.uriOf("before"), bench.path("read.raw")]);
      expect(await bench.sha256("read.raw")).toBe(await bench.sha256("before.raw"));
      const raw = ["-f", "raw", "-F", "raw"];
      await succeed("qemu-img", [
        "compare",
        ...raw,
        bench.path("before.raw"),
        stack.uriOf("before"),
      ]);
      await succeed("qemu-img", ["compare", ...raw, bench.path("after.raw"), stack.uriOf("vm")]);
      expect(await stack.command("dm", "status", "before")).toMatch(
        /^0 16384 snapshot 16\d{3}\/32768 \d+\n$/,
      );
      expect(stack.served.stderr).toBe("");
    });
  },
);
