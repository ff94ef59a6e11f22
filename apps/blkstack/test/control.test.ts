import { readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { NbdClient } from "@blkstack/nbd";
import { describe, expect, it } from "vitest";
import { run, temporaryFolder } from "./cli.ts";
import { Controlled } from "./control.ts";

const STACK = `disks:
  base: { ram: 1MiB }
  spare: { ram: 1MiB }
  rom: { ram: 1MiB, readOnly: true }
devices:
  vm: 0 2048 linear base 0
exports:
  vm: { device: vm, description: a disk }
`;
const block = (value: number): Buffer => Buffer.alloc(4096, value);

describe("questions are answered as dmsetup answers them", () => {
  it("about one device", async () => {
    const server = await Controlled.start(STACK);
    expect(await server.do("dm ls")).toBe("vm\t(253:0)\n");
    expect(await server.do("dm table vm")).toBe("0 2048 linear base 0\n");
    expect(await server.do("dm status vm")).toBe("0 2048 linear \n");
    expect(await server.do("dm deps vm")).toBe("1 dependencies\t: (base)\n");
    expect(await server.do("dm info vm")).toBe(
      [
        "Name:              vm",
        "State:             ACTIVE",
        "Tables present:    LIVE",
        "Open count:        1",
        "Event number:      0",
        "Major, minor:      253, 0",
        "Number of targets: 1",
        "\n",
      ].join("\n"),
    );
    expect(await server.do("dm info -c vm")).toBe(
      "Name             Maj Min Stat Open Targ Event  UUID                            \n" +
        "vm               253   0 L--w    1    1      0                                 \n",
    );
  });

  it("about all of them, tables that wait for a resume too", async () => {
    const server = await Controlled.start(STACK);
    await server.do("dm create top --uuid LVM-abc --table 0_8_linear_vm_0", "dm suspend top");
    await server.do("dm create bare --notable", "dm reload bare --table 0_9_error");
    expect(await server.do("dm table")).toBe(
      "bare: \ntop: 0 8 linear 253:0 0\nvm: 0 2048 linear base 0\n",
    );
    expect(await server.do("dm table --inactive bare")).toBe("0 9 error \n");
    expect(await server.do("dm deps")).toBe(
      "bare: 0 dependencies\t:\ntop: 1 dependencies\t: (253, 0)\nvm: 1 dependencies\t: (base)\n",
    );
    expect(await server.do("dm info top bare")).toMatch(
      /State: {13}SUSPENDED\nTables present: {4}LIVE\n[^]*UUID: LVM-abc\n\n[^]*present: {4}INACTIVE\n/,
    );
    const { devices } = JSON.parse(await server.do("dm ls --json")) as { devices: object[] };
    expect(devices).toMatchObject([{ name: "bare" }, { name: "top", uuid: "LVM-abc" }, {}]);
    await server.do("dm remove top bare");
    expect(await server.do("dm ls")).toBe("vm\t(253:0)\n");
  });
});

describe("a client", () => {
  it("only waits while its device is suspended, and goes on with the table of the resume", async () => {
    const server = await Controlled.start(STACK);
    const client = await server.client("vm");
    await client.write(0, block(1));
    await server.do("dm suspend vm");
    let isWritten = false;
    const written = client.write(0, block(2)).then(() => (isWritten = true));
    await server.do("dm reload vm --table 0_2048_linear_spare_0");
    expect(isWritten).toBe(false);
    await server.do("dm resume vm", "export add old base");
    await written;
    expect(await client.read(0, 4096)).toEqual(block(2));
    const old = await server.client("old");
    expect(await old.read(0, 4096)).toEqual(block(1));
    await Promise.all([client.close(), old.close()]);
  });

  it("has a snapshot of its disk taken without a word, which another client reads", async () => {
    const server = await Controlled.start(STACK);
    const client = await server.client("vm");
    await client.write(0, block(1));
    await server.do(
      "dm reload vm --table 0_2048_snapshot-origin_base",
      "dm suspend vm",
      "dm create before --table 0_2048_snapshot_base_spare_P_8",
      "dm resume vm",
      "export add before --read-only",
    );
    await client.write(0, block(2));
    const before = await server.client("before");
    expect(await before.read(0, 4096)).toEqual(block(1));
    expect(await server.do("export ls")).toBe(
      "export    device  access  clients  description\n" +
        '"vm"      vm      write   1        a disk\n"before"  before  read    1\n',
    );
    const inUse = await server.run("export remove before");
    expect(inUse).toMatchObject({ status: 1, stdout: "" });
    expect(inUse.stderr).toBe('blkstack: export "before" is in use by 1 clients\n');
    await before.close();
    await server.do("export add blocks before --whole-blocks");
    const { exports } = JSON.parse(await server.do("export ls --json")) as { exports: object[] };
    expect(exports).toMatchObject([{ wholeBlocks: false }, {}, { wholeBlocks: true }]);
    await server.do("export remove blocks");
    await server.do("export remove before --force", "dm suspend vm", "dm remove before");
    await server.do("dm resume vm");
    expect(await client.read(0, 4096)).toEqual(block(2));
    await client.close();
  });

  it("meets the bad blocks that a message makes", async () => {
    const server = await Controlled.start(STACK);
    await server.do("dm reload vm --table 0_2048_dust_base_0_512", "dm resume vm");
    const client = await server.client("vm");
    await server.do("dm message vm 0 addbadblock 8", "dm message vm 0 enable");
    expect(await server.do("dm message vm 0 countbadblocks")).toContain("1 badblock");
    await expect(client.read(4096, 512)).rejects.toMatchObject({ errno: 5 });
    await client.close();
  });

  it("is answered when the server ends, also if its device is suspended", async () => {
    const server = await Controlled.start(STACK);
    const client = await server.client("vm");
    await server.do("dm reload vm --table 0_2048_error", "dm suspend vm");
    const written = client.write(0, block(3));
    await isHeard(client);
    server.served.stop();
    await written;
    expect(await server.served.finished).toMatchObject({ status: 0, stderr: "" });
    expect(await readdir(server.cwd)).toEqual(["s.yaml"]);
  });
});

/** Waits until the server has everything that the client has asked for: the device is not asked for this. */
async function isHeard(client: NbdClient): Promise<void> {
  await expect(client.read(2 ** 40, 1)).rejects.toThrow("error 22");
}

/** A command that is refused, and what is said of it on standard error. */
const REFUSALS: readonly (readonly [argv: string, lines: readonly string[]])[] = [
  [
    "dm remove vm",
    [
      'blkstack: "vm" is exported as "vm"; remove that first',
      "device-mapper: remove ioctl on vm  failed: Device or resource busy",
    ],
  ],
  [
    "dm suspend none",
    [
      'blkstack: there is no mapped device "none"',
      "device-mapper: suspend ioctl on none  failed: No such device or address",
    ],
  ],
  [
    "dm create vm --table 0_8_error",
    [
      'blkstack: there already is a mapped device "vm"',
      "device-mapper: create ioctl on vm  failed: Device or resource busy",
    ],
  ],
  [
    "dm create base --table 0_8_error",
    [
      'blkstack: "base" is the name of a disk',
      "device-mapper: create ioctl on base  failed: Device or resource busy",
    ],
  ],
  [
    "dm create x --table 0_8_linear_nowhere_0",
    [
      "blkstack: table line 1, argument 1: linear: Device lookup failed " +
        '(there is no "nowhere"; it should be one of disks or devices)',
      "device-mapper: reload ioctl on x (253:1) failed: No such device",
    ],
  ],
  [
    "dm message vm 0 hello",
    [
      'blkstack: nobody at sector 0 of "vm" takes that message',
      "device-mapper: message ioctl on vm  failed: Invalid argument",
    ],
  ],
];

it.each(REFUSALS)("blkstack %s is refused with exit status 1", async (argv, lines) => {
  const server = await Controlled.start(STACK);
  const stderr = [...lines, "Command failed.", ""].join("\n");
  expect(await server.run(argv)).toEqual({ status: 1, stdout: "", stderr });
  expect(await server.do("dm ls")).toBe("vm\t(253:0)\n");
});

it("a table comes from standard input, of which the line that is wrong is named", async () => {
  const server = await Controlled.start(STACK);
  const made = await server.run("dm create x", "# two halves\n0 8 linear base 8\n8 8 zero\n");
  expect(made).toEqual({ status: 0, stdout: "", stderr: "" });
  expect(await server.do("dm table x")).toBe("0 8 linear base 8\n8 8 zero \n");
  const refused = await server.run("dm reload x", "0 8 zero\nnonsense\n");
  expect(refused.status).toBe(1);
  expect(refused.stderr).toContain("table line 2: invalid format");
});

it("a device over a read-only disk is read-only, and so are its exports", async () => {
  const server = await Controlled.start(STACK);
  await server.do("dm create look --table 0_8_linear_rom_0", "export add look");
  const { exports } = JSON.parse(await server.do("export ls --json")) as { exports: object[] };
  expect(exports[1]).toMatchObject({ name: "look", isReadOnly: true });
});

describe("a suspend that waits for what waits for another device", () => {
  const waiting = async (): Promise<Controlled> => {
    const server = await Controlled.start(STACK);
    await server.do("dm create top --table 0_2048_linear_vm_0", "export add top", "dm suspend vm");
    return server;
  };

  it("does not keep that from being resumed, and is done then", async () => {
    const server = await waiting();
    const client = await server.client("top");
    const written = client.write(0, block(1));
    const suspended = server.do("dm suspend top");
    await server.do("dm info top", "dm resume vm");
    await suspended;
    expect(await server.do("dm info -c --noheadings top")).toContain(" L-sw ");
    await written;
    await client.close();
  });

  it("or another command that does, does not keep the server from ending", async () => {
    const server = await Controlled.start(STACK);
    await server.do("dm suspend vm");
    await server.connect();
    const created = server.run("dm create snap --table 0_8_snapshot_base_vm_P_8");
    while (!(await server.do("dm ls")).includes("snap"));
    server.served.stop();
    expect((await server.served.finished).status).toBe(0);
    expect(await created).toEqual({ status: 0, stdout: "", stderr: "" });
  });

  it("is called off when nobody waits for it any more", async () => {
    const server = await waiting();
    const client = await server.client("top");
    const written = client.write(0, block(1));
    // The write is under way when an answer to a later request came.
    await isHeard(client);
    const peer = await server.connect();
    peer.ask({ verb: "dm suspend", name: "top" });
    peer.ask({ verb: "dm remove", name: "top", force: true });
    peer.socket.end();
    expect(await peer.answers()).toMatchObject([{ error: { errno: "EINTR" } }]);
    expect(await server.do("dm info -c --noheadings top")).toContain(" L--w ");
    await server.do("dm resume vm");
    await written;
    await client.close();
  });
});

describe("the control socket", () => {
  it("is for its owner alone, and never takes the place of a file", async () => {
    const server = await Controlled.start(STACK);
    expect((await stat(join(server.cwd, "ctl"))).mode & 0o777).toBe(0o600);
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, "s.yaml"), STACK);
    const argv = ["serve", "s.yaml", "--listen", "unix:nbd", "--control", "s.yaml"];
    expect(await run(argv, { cwd })).toEqual({
      status: 2,
      stdout: "",
      stderr: `blkstack: ${cwd}/s.yaml is there already, and is no socket\n`,
    });
    expect(await readdir(cwd)).toEqual(["s.yaml"]);
  });

  it("tells who asks a server that is not there how to start one", async () => {
    const cwd = await temporaryFolder();
    const stderr = "blkstack: no server answers on ctl (ENOENT); start one with serve --control\n";
    expect(await run(["dm", "ls", "--control", "ctl"], { cwd })).toEqual({
      status: 2,
      stdout: "",
      stderr,
    });
  });

  it("answers nonsense, line by line, with what is wrong with it", async () => {
    const server = await Controlled.start(STACK);
    const peer = await server.connect();
    const lines = [
      "{",
      "[]",
      "null",
      "{}",
      '{"verb":"dm explode"}',
      '{"verb":"constructor"}',
      '{"verb":"dm info","name":7}',
      '{"verb":"dm ls","nmae":"vm"}',
      '{"verb":"dm message","name":"vm","sector":-1,"words":["x"]}',
      '{"verb":"dm message","name":"vm","sector":0,"words":[{}]}',
      '{"verb":"dm create","name":"a\\u0000b"}',
      '{"verb":"dm create","name":"../x"}',
      "[".repeat(100_000),
    ];
    peer.socket.write(lines.map((line) => `${line}\n`).join(""));
    peer.socket.write(Buffer.from([0xff, 0x0a]));
    const answers = await peer.answers(lines.length + 1);
    expect(answers).toHaveLength(lines.length + 1);
    for (const answer of answers) expect(answer).toMatchObject({ error: { errno: "EINVAL" } });
    expect(await server.do("dm ls")).toBe("vm\t(253:0)\n");
  });

  it("closes on a line that does not end, with a word", async () => {
    const server = await Controlled.start(STACK);
    const peer = await server.connect();
    for (let sent = 0; sent <= 2 ** 20; sent += 2 ** 16) peer.socket.write("x".repeat(2 ** 16));
    const message = "a request has at most 1048576 bytes";
    expect(await peer.answers()).toEqual([{ error: { errno: "EINVAL", message } }]);
    expect(await server.do("dm ls")).toBe("vm\t(253:0)\n");
  });

  it("asks for no more, and lets the server end, when its answers are not read", async () => {
    const server = await Controlled.start(STACK);
    const peer = await server.connect();
    peer.socket.pause();
    peer.socket.write('{"verb":"dm ls"}\n'.repeat(20_000));
    expect(await server.do("dm ls")).toBe("vm\t(253:0)\n");
    server.served.stop();
    expect((await server.served.finished).status).toBe(0);
  });

  it("forgets who leaves within a line, and of too many those who say nothing", async () => {
    const server = await Controlled.start(STACK);
    for (let n = 0; n < 20; n += 1) {
      const peer = await server.connect();
      peer.socket.end('{"verb":"dm remove","na');
    }
    const silent = await Promise.all(Array.from({ length: 40 }, () => server.connect()));
    expect(await server.do("dm ls")).toBe("vm\t(253:0)\n");
    expect(await silent[0]?.answers()).toEqual([]);
    const last = silent.at(-1);
    last?.ask({ verb: "export ls" });
    expect(await last?.answers(1)).toMatchObject([{ exports: [{ name: "vm" }] }]);
  });
});
