// The command line as a process among others: what it inherits, how it ends, what it answers.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, readFileSync, readlinkSync, renameSync, symlinkSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server } from "node:net";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { NbdClient } from "@blkstack/nbd";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  ask,
  bytes32,
  choose,
  Command,
  Errno,
  goData,
  Option,
  option,
  request,
} from "../src/raw-protocol.ts";
import { BLKSTACK, Served } from "../src/served.ts";
import { isMissing, run } from "../src/tools.ts";
import { eventually, Workbench } from "../src/workbench.ts";

const SIZE_BYTES = 1024 * 1024;
const SECTOR_BYTES = 512;
const GOLDEN = fileURLToPath(new URL("../../../apps/blkstack/test/golden", import.meta.url));

let bench: Workbench;
let served: Served | null = null;

beforeEach(() => {
  bench = new Workbench();
  bench.writePattern("disk.img", SIZE_BYTES);
});

afterEach(async () => {
  await served?.stop("SIGKILL");
  served = null;
  bench.clear();
});

/** Serves the image at `nbd.sock`. All paths are relative to the folder of the test. */
async function serveImage(...options: readonly string[]): Promise<Served> {
  const args = ["--file", "disk.img", "--listen", "unix:nbd.sock", ...options];
  served = await Served.start(args, bench.folder);
  return served;
}

/** Runs a command line in the folder of the test. */
function blkstack(...args: readonly string[]) {
  return run(BLKSTACK, args, { cwd: bench.folder });
}

describe("the launcher", () => {
  it("becomes node: the process that was started is the one that serves", async () => {
    const { pid } = await serveImage();
    expect(basename(readlinkSync(`/proc/${String(pid)}/exe`))).toBe("node");
    expect(readFileSync(`/proc/${String(pid)}/cmdline`, "latin1")).toContain("main.js\0serve\0");
    expect(readFileSync(`/proc/${String(pid)}/task/${String(pid)}/children`, "utf8")).toBe("");
  });

  it("takes paths from where its user is, also when called by another name", async () => {
    symlinkSync(BLKSTACK, bench.path("first"));
    symlinkSync("first", bench.path("second"));
    const args = ["--file", "disk.img", "--listen", "unix:nbd.sock"];
    served = await Served.start(args, bench.folder, bench.path("second"));
    expect(served.uris).toEqual([`nbd+unix:///?socket=${bench.path("nbd.sock")}`]);
    expect(existsSync(bench.path("nbd.sock"))).toBe(true);
  });
});

describe.skipIf(isMissing("nbdinfo"))("a socket that listens already", () => {
  it("is taken over, and nothing of it is left", async () => {
    const command = ["[", BLKSTACK, "serve", "--file", "disk.img", "]"];
    const { status, stdout, stderr } = await run("nbdinfo", ["--size", "--", ...command], {
      cwd: bench.folder,
    });
    expect({ status, stdout }).toEqual({ status: 0, stdout: `${String(SIZE_BYTES)}\n` });
    expect(stderr).toMatch(/\nready\n$/);
  });
});

describe("sockets that listen already", () => {
  /** Has a server be given a socket of TCP and one with a path, for the process that `pid` names. */
  async function serveGiven(
    pid: string,
    options = "",
  ): Promise<{ server: ChildProcess; port: number }> {
    const tcp = createServer().listen(0, "127.0.0.1");
    const unix = createServer().listen(bench.path("bound"));
    await Promise.all([once(tcp, "listening"), once(unix, "listening")]);
    const { port } = tcp.address() as AddressInfo;
    // Whose server is closed loses its path, unless it is called something else by then.
    renameSync(bench.path("bound"), bench.path("given"));
    const command = `LISTEN_PID=${pid} LISTEN_FDS=2 exec "$0" serve --file disk.img --listen unix:own ${options}`;
    const server = spawn("/bin/sh", ["-c", command, BLKSTACK], {
      cwd: bench.folder,
      stdio: ["ignore", "pipe", "pipe", descriptorOf(tcp), descriptorOf(unix)],
      timeout: 115_000,
    });
    tcp.close();
    unix.close();
    let printed = "";
    const print = (text: string): void => {
      printed += text;
    };
    server.stdout?.setEncoding("utf8").on("data", print);
    server.stderr?.setEncoding("utf8").on("data", print);
    await eventually(() => {
      expect(printed).toMatch(/ready\n$/);
    }, 110_000);
    expect(printed.includes(String(port))).toBe(pid === "$$");
    return { server, port };
  }

  /** Node tells nobody which descriptor a server listens on; its handle knows. */
  function descriptorOf(server: Server): number {
    const handle: unknown = Reflect.get(server, "_handle");
    if (typeof handle === "object" && handle !== null && "fd" in handle) return Number(handle.fd);
    throw new Error("a server of this Node has no handle with a descriptor");
  }

  it("are all taken over, beside one of its own", async () => {
    const { server, port } = await serveGiven("$$");
    const read = { command: Command.Read, length: SECTOR_BYTES };
    for (const path of ["given", "own"]) {
      expect(await ask(await choose(bench.path(path), ""), read)).toBe(Errno.Ok);
    }
    const overTcp = connect({ host: "127.0.0.1", port });
    const [greeting] = (await once(overTcp, "data")) as [Buffer];
    expect(greeting.toString("latin1", 0, 16)).toBe("NBDMAGICIHAVEOPT");
    const ended = once(server, "exit");
    // A client that still negotiates holds nobody up.
    server.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
    overTcp.destroy();
  });

  it("bring clients whose address counts", async () => {
    const { server, port } = await serveGiven("$$", "--limit connections-per-peer=1");
    const address = { host: "127.0.0.1", port };
    const first = await NbdClient.connect(address);
    await expect(NbdClient.connect(address)).rejects.toThrow();
    const local = await NbdClient.connect({ unix: bench.path("given") });
    expect(await first.read(0, SECTOR_BYTES)).toEqual(await local.read(0, SECTOR_BYTES));
    await Promise.all([first.close(), local.close()]);
    const ended = once(server, "exit");
    server.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
  });

  it("are left alone when they are meant for another process", async () => {
    const { server } = await serveGiven("1");
    const read = { command: Command.Read, length: SECTOR_BYTES };
    expect(await ask(await choose(bench.path("own"), ""), read)).toBe(Errno.Ok);
    const ended = once(server, "exit");
    server.kill("SIGTERM");
    expect(await ended).toEqual([0, null]);
  });
});

describe("--stdio", () => {
  it("serves one client, says nothing else, and ends when the client has", async () => {
    const child = spawn(BLKSTACK, ["serve", "--file", "disk.img", "--stdio"], {
      cwd: bench.folder,
      stdio: ["pipe", "pipe", "inherit"],
      timeout: 30_000,
    });
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.stdin.write(
      Buffer.concat([
        bytes32(3),
        option(Option.Go, goData("")),
        request({ command: Command.Read, offset: SECTOR_BYTES, length: SECTOR_BYTES }),
        request({ command: Command.Disconnect }),
      ]),
    );
    expect(await once(child, "close")).toEqual([0, null]);
    const all = Buffer.concat(chunks);
    const image = readFileSync(bench.path("disk.img"));
    expect(all.subarray(0, 16).toString("latin1")).toBe("NBDMAGICIHAVEOPT");
    expect(all.subarray(-SECTOR_BYTES)).toEqual(image.subarray(SECTOR_BYTES, 2 * SECTOR_BYTES));
  });
});

describe.skipIf(isMissing("nbdcopy"))("--run", () => {
  it("ends with the status of the command, which has used the server meanwhile", async () => {
    const copy = 'nbdcopy "$uri" out.img; exit $(($? + 7))';
    expect(await blkstack("serve", "--file", "disk.img", "--run", copy)).toEqual({
      status: 7,
      stdout: "",
      stderr: "",
    });
    expect(await bench.sha256("out.img")).toBe(await bench.sha256("disk.img"));
  });
});

describe("the end", () => {
  it("comes with its parent's, when asked for", async () => {
    const serve = 'blkstack=$1; shift; "$blkstack" serve "$@" & wait';
    const args = ["--file", "disk.img", "--listen", "unix:nbd.sock", "--exit-with-parent"];
    const parent = spawn("/bin/sh", ["-c", serve, "sh", BLKSTACK, ...args], {
      cwd: bench.folder,
      stdio: ["ignore", "pipe", "inherit"],
    });
    let printed = "";
    parent.stdout.setEncoding("utf8").on("data", (text: string) => (printed += text));
    await eventually(() => {
      expect(printed).toMatch(/\nready\n$/);
    }, 30_000);
    parent.kill("SIGKILL");
    // "close" comes when nobody has the pipe any more: when the server has ended, too.
    await once(parent, "close");
    expect(existsSync(bench.path("nbd.sock"))).toBe(false);
  });

  it.each(["SIGINT", "SIGTERM"] as const)(
    "by %s is orderly: status 0, what was written is in the image, no socket is left",
    async (signal) => {
      const server = await serveImage();
      const client = await choose(bench.path("nbd.sock"), "");
      const payload = Buffer.alloc(SECTOR_BYTES, 0x5a);
      const write = { command: Command.Write, length: SECTOR_BYTES };
      expect(await ask(client, write, payload)).toBe(Errno.Ok);
      expect(await server.stop(signal)).toBe(0);
      expect(server.stderr).toBe("");
      expect(readFileSync(bench.path("disk.img")).subarray(0, SECTOR_BYTES)).toEqual(payload);
      expect(existsSync(bench.path("nbd.sock"))).toBe(false);
    },
  );
});

describe("a storm of signals", () => {
  it("ends it as one does: what was answered is in the image, and no socket is left", async () => {
    const server = await serveImage();
    const client = await choose(bench.path("nbd.sock"), "");
    const payload = Buffer.alloc(SECTOR_BYTES, 0x5a);
    const write = { command: Command.Write, length: SECTOR_BYTES };
    expect(await ask(client, write, payload)).toBe(Errno.Ok);
    const reads = Array.from({ length: 64 }, (_, cookie) =>
      request({ command: Command.Read, length: SIZE_BYTES, cookie }),
    );
    client.send(...reads);
    const signals = ["SIGTERM", "SIGHUP", "SIGINT"] as const;
    const ended = server.stop();
    for (let count = 0; count < 60 && server.isRunning; count += 1) {
      process.kill(server.pid, signals[count % signals.length]);
      await new Promise(setImmediate);
    }
    expect([0, 1]).toContain(await ended);
    expect(server.stderr).not.toMatch(/\n\s+at /);
    expect(readFileSync(bench.path("disk.img")).subarray(0, SECTOR_BYTES)).toEqual(payload);
    expect(existsSync(bench.path("nbd.sock"))).toBe(false);
  });
});

describe("a second server", () => {
  it("is refused the socket of the first one, which goes on", async () => {
    const first = await serveImage();
    const client = await choose(bench.path("nbd.sock"), "");
    bench.writePattern("other.img", SIZE_BYTES);
    const args = ["--file", "other.img", "--listen", "unix:nbd.sock"];
    const { status, stdout, stderr } = await blkstack("serve", ...args);
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(/^blkstack: [^\n]*nbd\.sock[^\n]*\n$/);
    const read = { command: Command.Read, length: SECTOR_BYTES };
    expect(await ask(client, read)).toBe(Errno.Ok);
    expect(await ask(await choose(bench.path("nbd.sock"), ""), read)).toBe(Errno.Ok);
    expect(first.isRunning).toBe(true);
  });
});

describe("--read-only", () => {
  it("refuses writes, and leaves the image as it was", async () => {
    const before = await bench.sha256("disk.img");
    const server = await serveImage("--read-only");
    const client = await choose(bench.path("nbd.sock"), "");
    const write = { command: Command.Write, length: SECTOR_BYTES };
    expect(await ask(client, write, Buffer.alloc(SECTOR_BYTES))).toBe(Errno.Perm);
    expect(await ask(client, { command: Command.WriteZeroes, length: SECTOR_BYTES })).toBe(
      Errno.Perm,
    );
    expect(await ask(client, { command: Command.Read, length: SECTOR_BYTES })).toBe(Errno.Ok);
    expect(await server.stop()).toBe(0);
    expect(await bench.sha256("disk.img")).toBe(before);
  });
});

describe("the exit status", () => {
  const GOOD = "disks:\n  a: { file: disk.img }\nexports:\n  a: { device: a }\n";

  it("of check is 0 for a good stack file and 2 for a bad one, with one line that says where", async () => {
    bench.write("good.yaml", GOOD);
    bench.write("bad.yaml", GOOD.replace("device: a", "device: b"));
    expect(await blkstack("check", "good.yaml")).toMatchObject({ status: 0, stderr: "" });
    const { status, stdout, stderr } = await blkstack("check", "bad.yaml");
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(/^blkstack: [^\n]*bad\.yaml:4[^\n]*\n$/);
  });

  it("of explore and replay is 1 for a deadlock, 0 for none, 2 for a name that is none", async () => {
    const explore = (variant: string, ...options: string[]) =>
      blkstack("explore", `bioset-split:${variant}`, ...options);
    expect((await explore("no-rescuer", "--trace", "t.json")).status).toBe(1);
    expect((await blkstack("replay", "t.json")).status).toBe(1);
    expect((await explore("rescuer")).status).toBe(0);
    expect((await explore("nobody")).status).toBe(2);
    expect((await blkstack("replay", "none.json")).status).toBe(2);
  });

  it("of golden is 0 when a kernel did the same, 1 when not, 2 without cases", async () => {
    const folder = bench.path("case");
    cpSync(`${GOLDEN}/a-linear-single`, folder, { recursive: true });
    expect((await blkstack("golden", "case")).status).toBe(0);
    const recorded = readFileSync(`${folder}/case.json`, "utf8");
    bench.write("case/case.json", recorded.replace("linear 254:0 37", "linear 254:0 38"));
    expect((await blkstack("golden", "case")).status).toBe(1);
    expect((await blkstack("golden", "none")).status).toBe(2);
  });
});

describe("--json", () => {
  it.each([
    ["scenarios", "scenarios"],
    ["explore bioset-split:no-rescuer", "verdict"],
    ["explore bioset-split:rescuer", "verdict"],
    [`golden ${GOLDEN}`, "cases"],
  ])("prints one object and nothing else: %s", async (command, key) => {
    const { stdout, stderr } = await blkstack(...command.split(" "), "--json");
    // A second object after it would be no JSON any more.
    expect(JSON.parse(stdout)).toHaveProperty(key);
    expect(stderr).toBe("");
  });

  it("prints nothing where there is nothing to tell", async () => {
    const { status, stdout } = await blkstack("explore", "nothing", "--json");
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  });
});
