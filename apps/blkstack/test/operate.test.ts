import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { NbdClient } from "@blkstack/nbd";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { run, start, temporaryFolder, type TestRun } from "./cli.ts";
import { parseMetrics } from "./parse-metrics.ts";

const STACK = `disks:
  base: { file: base.img, size: 1MiB, create: true }
  cow: { file: cow.img, size: 64KiB, create: true }
groups:
  tenant: "wiops=100000"
devices:
  vm: 0 2048 snapshot-origin base
exports:
  vm: { device: vm, group: tenant }
`;

interface Operated {
  readonly cwd: string;
  readonly served: TestRun;
  readonly url: string;
  readonly get: (path: string) => Promise<{ status: number; text: string }>;
  readonly client: (name?: string) => Promise<NbdClient>;
}

/** A server with all that operators use, for the length of a test. */
async function operate(options: readonly string[] = [], env = {}): Promise<Operated> {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, "s.yaml"), STACK);
  const argv = ["serve", "s.yaml", "--listen", "unix:nbd", "--control", "ctl", "--http", "0"];
  const served = start([...argv, ...options], { cwd, env });
  onTestFinished(async () => {
    served.stop();
    await served.finished;
  });
  await served.printed("ready");
  const url = /http:\/\/127\.0\.0\.1:\d+\//.exec(served.stderr())?.[0] ?? "";
  return {
    cwd,
    served,
    url,
    get: async (path) => {
      const response = await fetch(`${url}${path}`);
      return { status: response.status, text: await response.text() };
    },
    client: (name = "vm") => NbdClient.connect({ unix: join(cwd, "nbd") }, name),
  };
}

describe("/metrics", () => {
  it("counts what clients ask and what each layer does of it; a client is told of while it is there", async () => {
    const { get, client, cwd } = await operate();
    const one = await client();
    await one.write(0, Buffer.alloc(8192));
    await one.read(0, 4096);
    await one.flush();
    const values = parseMetrics((await get("metrics")).text);
    const write = (labels: string): string => `{${labels},op="write"}`;
    for (const [name, labels] of [
      ["blkstack_export", 'export="vm"'],
      ["blkstack_connection", 'connection="1",export="vm",peer="unix"'],
      ["blkstack_device", 'device="base",layer="disk"'],
      ["blkstack_device", 'device="vm",layer="device"'],
      ["blkstack_device", 'device="vm in tenant",layer="group"'],
    ] as const) {
      expect(values.get(`${name}_bytes_total${write(labels)}`), labels).toBe(8192);
      expect(values.get(`${name}_ios_total${write(labels)}`), labels).toBe(1);
      const inAll = `${name}_latency_seconds_bucket{${labels},op="write",le="+Inf"}`;
      expect(values.get(inAll), labels).toBe(1);
      expect(values.get(`${name}_in_flight{${labels}}`), labels).toBe(0);
    }
    expect(values.get('blkstack_group_limit{group="tenant",limit="wiops"}')).toBe(100_000);
    expect(values.get('blkstack_group_limit{group="tenant",limit="rbps"}')).toBe(Infinity);
    expect(values.get('blkstack_group_bytes_total{group="tenant",op="write"}')).toBe(8192);
    expect(values.get("blkstack_memory_total_bytes")).toBe(136 * 2 ** 20);
    expect(values.get('blkstack_pool_elements{pool="nbd \\"vm\\""}')).toBeUndefined();
    await one.close();
    await vi.waitFor(async () => {
      const later = parseMetrics((await get("metrics")).text);
      expect([...later.keys()].filter((key) => key.startsWith("blkstack_connection_"))).toEqual([]);
      expect(later.get('blkstack_export_bytes_total{export="vm",op="write"}')).toBe(8192);
    });
    const dm = ["dm", "create", "snap", "--table", "0 2048 snapshot base cow P 8"];
    expect(await run([...dm, "--control", "ctl"], { cwd })).toMatchObject({ status: 0 });
    await vi.waitFor(async () => {
      const after = parseMetrics((await get("metrics")).text);
      expect(after.get('blkstack_snapshot_total_sectors{device="snap",begin="0"}')).toBe(128);
    });
  });

  it("is for GET alone, without a body, and no request is large", async () => {
    const { get, url } = await operate();
    expect((await get("nothing")).status).toBe(404);
    const post = await fetch(`${url}metrics`, { method: "POST", body: "x" });
    expect([post.status, post.headers.get("allow")]).toEqual([405, "GET"]);
    const large = { headers: { filler: "x".repeat(10_000) } };
    expect((await fetch(`${url}metrics`, large)).status).toBe(431);
  });
});

describe("/health and /ready", () => {
  it("say that all is well, and which snapshot is not", async () => {
    const { get, client, cwd } = await operate();
    expect(await get("health")).toEqual({ status: 200, text: "ok\n" });
    expect(await get("ready")).toEqual({ status: 200, text: "ready\n" });
    const dm = ["dm", "create", "snap", "--table", "0 2048 snapshot base cow P 8"];
    expect(await run([...dm, "--control", "ctl"], { cwd })).toMatchObject({ status: 0 });
    const one = await client();
    await one.write(0, Buffer.alloc(512 * 1024));
    await one.close();
    expect(await get("health")).toEqual({ status: 503, text: 'snapshot "snap": Invalid\n' });
    expect((await get("ready")).status).toBe(200);
  });
});

describe("the log", () => {
  it("is an object on each line, with who did what to which export", async () => {
    const { served, client } = await operate(["--log", "json", "--log-level", "debug"]);
    const one = await client();
    await one.close();
    await vi.waitFor(() => {
      const lines = served.stderr().trim().split("\n");
      const told = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
      expect(told[0]).toMatchObject({ level: "info", event: "http" });
      const chosen = told.find(({ event }) => event === "client-chosen");
      expect(chosen).toMatchObject({ level: "debug", export: "vm", connection: 1, peer: "unix" });
      expect(String(chosen?.["time"])).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    });
  });

  it("has no other form and no other level", async () => {
    for (const option of ["--log", "--log-level"]) {
      const { status, stderr } = await run(["serve", "s.yaml", option, "loud"]);
      expect(status).toBe(2);
      expect(stderr).toMatch(/^blkstack: .*Allowed choices are .*\n$/);
    }
  });
});

describe("a reload", () => {
  const MORE = `${STACK}  raw: { device: base, readOnly: true }\n`.replace("100000", "5");

  it("is had by a signal, and clients stay", async () => {
    const { served, cwd, client } = await operate();
    const one = await client();
    await writeFile(join(cwd, "s.yaml"), MORE);
    served.hangUp();
    await vi.waitFor(() => {
      expect(served.stderr()).toContain('reloaded: limit group "tenant", add export "raw"\n');
    });
    const two = await client("raw");
    expect(await two.read(0, 512)).toHaveLength(512);
    await one.write(0, Buffer.alloc(512));
    await Promise.all([one.close(), two.close()]);
  });

  it("makes a disk longer under its clients; those that come then are told", async () => {
    const { cwd, client } = await operate();
    const one = await client();
    const longer = STACK.replace("base.img, size: 1MiB", "base.img, size: 2MiB");
    await writeFile(join(cwd, "s.yaml"), longer.replace("vm: 0 2048", "vm: 0 4096"));
    expect(await run(["reload", "--control", "ctl"], { cwd })).toMatchObject({
      stdout: 'reloaded: grow disk "base", suspend "vm", load "vm", resume "vm"\n',
    });
    const two = await client();
    expect([one.sizeBytes, two.sizeBytes]).toEqual([2 ** 20, 2 ** 21]);
    await two.write(2 ** 21 - 512, Buffer.alloc(512, 7));
    await expect(one.write(2 ** 20, Buffer.alloc(512))).rejects.toMatchObject({ errno: 28 });
    await one.write(2 ** 20 - 512, Buffer.alloc(512, 8));
    await Promise.all([one.close(), two.close()]);
    const image = await readFile(join(cwd, "base.img"));
    expect([image.length, image[2 ** 20 - 1], image.at(-1)]).toEqual([2 ** 21, 8, 7]);
  });

  it("is had by a command, which says what is wrong with a file, and then nothing changes", async () => {
    const { cwd, client } = await operate();
    await writeFile(
      join(cwd, "s.yaml"),
      MORE.replace("snapshot-origin base", "snapshot-origin bsae"),
    );
    const argv = ["reload", "--control", "ctl"];
    const refused = await run(argv, { cwd });
    expect(refused).toMatchObject({ status: 1, stdout: "" });
    expect(refused.stderr).toMatch(/^blkstack: s\.yaml:7:\d+: device "vm": .*"bsae".*\n$/);
    await expect(client("raw")).rejects.toThrow();
    await writeFile(join(cwd, "s.yaml"), MORE);
    expect(await run([...argv, "--json"], { cwd })).toEqual({
      status: 0,
      stdout:
        '{"steps":[{"verb":"limit group","name":"tenant"},{"verb":"add export","name":"raw"}]}\n',
      stderr: "",
    });
    expect((await run(argv, { cwd })).stdout).toBe("reloaded: nothing has changed\n");
  });
});

describe("a reload of keys for TLS", () => {
  const [OLD_KEY, NEW_KEY] = ["00".repeat(32), "11".repeat(32)];

  /** A server with a key for alice, and whoever comes with one. */
  async function withKey(extra: readonly string[] = ["s.yaml"]) {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, "s.yaml"), STACK);
    await writeFile(join(cwd, "disk.img"), Buffer.alloc(4096));
    await mkdir(join(cwd, "tls"));
    const giveKey = (text: string): Promise<void> =>
      writeFile(join(cwd, "tls", "keys.psk"), text, { mode: 0o600 });
    await giveKey(`alice:${OLD_KEY}\n`);
    const argv = ["serve", ...extra, "--tls", "tls", "--listen", "unix:nbd", "--control", "ctl"];
    const served = start(argv, { cwd });
    onTestFinished(async () => {
      served.stop();
      await served.finished;
    });
    await served.printed("ready");
    const client = async (key: string): Promise<NbdClient> => {
      const pskFile = join(cwd, key.slice(0, 2));
      await writeFile(pskFile, `alice:${key}\n`);
      return NbdClient.connect({ unix: join(cwd, "nbd"), tls: { pskFile } });
    };
    return { cwd, served, giveKey, client };
  }

  it.each([
    ["of a stack", ["s.yaml"]],
    ["of an image", ["--file", "disk.img"]],
  ])("%s is for new clients; those that are there go on", async (_of, extra) => {
    const { cwd, served, giveKey, client } = await withKey(extra);
    const one = await client(OLD_KEY);
    await giveKey(`alice:${NEW_KEY}\n`);
    served.hangUp();
    await vi.waitFor(() => {
      expect(served.stderr()).toContain('reloaded: renew TLS "tls"\n');
    });
    await expect(client(OLD_KEY)).rejects.toThrow();
    const two = await client(NEW_KEY);
    expect(await two.read(0, 512)).toEqual(await one.read(0, 512));
    await Promise.all([one.close(), two.close()]);
    const again = await run(["reload", "--control", "ctl"], { cwd });
    expect(again.stdout).toBe("reloaded: nothing has changed\n");
  });

  it("that are broken is refused with all else; the old ones stay", async () => {
    const { cwd, giveKey, client } = await withKey();
    await giveKey("alice:what\n");
    await writeFile(join(cwd, "s.yaml"), STACK.replace("100000", "5"));
    const refused = await run(["reload", "--control", "ctl"], { cwd });
    expect(refused).toEqual({
      status: 1,
      stdout: "",
      stderr: `blkstack: TLS: ${cwd}/tls/keys.psk:1 is no USER:KEY with the key in hexadecimal digits\n`,
    });
    await (await client(OLD_KEY)).close();
    await giveKey(`alice:${NEW_KEY}\n`);
    await writeFile(join(cwd, "s.yaml"), "disks: 5\n");
    expect(await run(["reload", "--control", "ctl"], { cwd })).toMatchObject({ status: 1 });
    await (await client(OLD_KEY)).close();
  });
});

it("systemd is told when clients may come and when the end has begun", async () => {
  const folder = await temporaryFolder();
  const told = join(folder, "told");
  await writeFile(join(folder, "systemd-notify"), `#!/bin/sh\necho "$1" >>'${told}'\n`);
  await chmod(join(folder, "systemd-notify"), 0o755);
  const env = { NOTIFY_SOCKET: "/nowhere", PATH: `${folder}:${process.env["PATH"] ?? ""}` };
  const { served } = await operate([], env);
  await vi.waitFor(async () => {
    expect(await readFile(told, "utf8")).toBe("READY=1\n");
  });
  served.stop();
  expect((await served.finished).status).toBe(0);
  expect(await readFile(told, "utf8")).toBe("READY=1\nSTOPPING=1\n");
});
