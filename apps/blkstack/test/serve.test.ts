import { once } from "node:events";
import { access, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { NbdClient, parseNbdUri } from "@blkstack/nbd";
import { expect, it, vi } from "vitest";
import type { MemoryReport } from "../src/memory-report.ts";
import { run, start, temporaryFolder } from "./cli.ts";

const DISK = "disks:\n  a: { file: new.img, size: 64KiB, create: true }\n";
const STACK = `${DISK}exports:\n  a b: { device: a }\n  other: { device: a, readOnly: true }\n`;

async function folderWith(text: string): Promise<string> {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, "s.yaml"), text);
  return cwd;
}

/** The first bytes that whoever listens there says. */
async function greeting(address: { path: string } | { host: string; port: number }) {
  const socket = connect(address);
  const [bytes] = (await once(socket, "data")) as [Buffer];
  socket.destroy();
  return bytes.subarray(0, 8).toString("latin1");
}

it("each address is a line that names the first export; ready is the last", async () => {
  const cwd = await folderWith(STACK);
  const served = start(
    [
      "serve",
      "s.yaml",
      "--listen",
      "unix:x y.sock",
      "--listen",
      "tcp:0",
      "--listen",
      "tcp:[::1]:0",
    ],
    { cwd },
  );
  await served.printed("ready");
  const [unix, tcp, tcp6, ready] = served.stdout().split("\n");
  expect(unix).toBe(`nbd+unix:///a%20b?socket=${cwd}/x%20y.sock`);
  expect(tcp).toMatch(/^nbd:\/\/127\.0\.0\.1:\d+\/a%20b$/);
  expect(tcp6).toMatch(/^nbd:\/\/\[::1\]:\d+\/a%20b$/);
  expect(ready).toBe("ready");
  expect(await greeting({ path: join(cwd, "x y.sock") })).toBe("NBDMAGIC");
  const port = Number(/:(\d+)\//.exec(tcp ?? "")?.[1]);
  expect(await greeting({ host: "127.0.0.1", port })).toBe("NBDMAGIC");
  served.stop();
  expect(await served.finished).toMatchObject({ status: 0, stderr: "" });
  expect(await readdir(cwd)).toEqual(["new.img", "s.yaml"]);
});

it("with keys for TLS the lines say so, and nobody is served in clear", async () => {
  const cwd = await folderWith(STACK);
  await mkdir(join(cwd, "tls"));
  await writeFile(join(cwd, "tls", "keys.psk"), "alice:00112233445566778899aabbccddeeff\n");
  const args = ["--tls", "tls", "--listen", "unix:s", "--listen", "tcp:0"];
  const served = start(["serve", "s.yaml", ...args], { cwd });
  await served.printed("ready");
  const [unix, tcp = ""] = served.stdout().split("\n");
  expect(unix).toBe(`nbds+unix:///a%20b?socket=${cwd}/s`);
  expect(tcp).toMatch(/^nbds:\/\/127\.0\.0\.1:\d+\/a%20b$/);
  const pskFile = join(cwd, "tls", "keys.psk");
  const address = parseNbdUri(tcp);
  await expect(NbdClient.connect(parseNbdUri(tcp.replace("nbds", "nbd")))).rejects.toThrow(
    /wants TLS/,
  );
  const client = await NbdClient.connect({ ...address, tls: { pskFile } }, address.exportName);
  expect(client.sizeBytes).toBe(64 * 1024);
  await client.close();
  served.stop();
  const { status, stderr } = await served.finished;
  expect({ status, stderr }).toEqual({
    status: 0,
    stderr: `blkstack: ${pskFile} is a secret, but not its owner's alone: chmod 600 it\n`,
  });
});

it("without an address there is a socket in a folder that nobody else can look into", async () => {
  const cwd = await folderWith(STACK.replace("readOnly: true", "default: true"));
  const served = start(["serve", "s.yaml"], { cwd });
  await served.printed("ready");
  const { socket = "" } =
    /^nbd\+unix:\/\/\/other\?socket=(?<socket>.*)\n/.exec(served.stdout())?.groups ?? {};
  const folder = join(socket, "..");
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  served.stop();
  expect((await served.finished).status).toBe(0);
  await expect(access(folder)).rejects.toThrow("ENOENT");
});

it("an image file is served as the export without a name", async () => {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, "disk.img"), Buffer.alloc(4096));
  const served = start(["serve", "--file", "disk.img", "--listen", "unix:s"], { cwd });
  await served.printed("ready");
  expect(served.stdout()).toBe(`nbd+unix:///?socket=${cwd}/s\nready\n`);
  served.stop();
  expect((await served.finished).status).toBe(0);
});

it("the second signal ends the process at once", async () => {
  const cwd = await folderWith(STACK);
  const served = start(["serve", "s.yaml"], { cwd });
  await served.printed("ready");
  served.stop();
  served.stop();
  await served.finished;
  expect(served.exits).toEqual([1]);
});

it("a command that is run finds the address in its environment, and its status is ours", async () => {
  const cwd = await folderWith(STACK);
  const command = `printf '%s\\n' "$uri" "$unixsocket" "$exportname" > '${cwd}/seen'; exit 7`;
  const { status, stdout, stderr } = await run(["serve", "s.yaml", "--run", command], { cwd });
  expect({ status, stdout, stderr }).toEqual({ status: 7, stdout: "", stderr: "" });
  const [uri = "", socket = "", name] = (await readFile(join(cwd, "seen"), "utf8")).split("\n");
  expect(uri).toBe(`nbd+unix:///a%20b?socket=${socket}`);
  expect(name).toBe("a b");
  await expect(access(socket)).rejects.toThrow("ENOENT");
});

it("a signal ends the command that is run, too", async () => {
  const cwd = await folderWith(STACK);
  const served = start(["serve", "s.yaml", "--run", `: > '${cwd}/begun'; exec sleep 600`], { cwd });
  for (;;) if ((await readdir(cwd)).includes("begun")) break;
  served.stop();
  expect((await served.finished).status).toBe(0);
});

it("a budget that the reserves of a stack would eat up is refused, with what would do", async () => {
  const disks = `disks:
  base: { ram: 64KiB }
  cow: { ram: 256KiB }
devices:
  snap: "0 128 snapshot base cow P 8"
exports:
  snap: { device: snap }
`;
  const cwd = await folderWith(disks);
  const refused = await run(["serve", "s.yaml", "--memory", "2MiB"], { cwd });
  const { status, stdout, stderr } = refused;
  expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
  const least = /at least ([0-9]+)KiB\n$/.exec(stderr)?.[1] ?? "";
  expect(Number(least)).toBeGreaterThan(2048);
  const served = start(["serve", "s.yaml", "--memory", `${least}KiB`], { cwd });
  await served.printed("ready");
  served.stop();
  expect((await served.finished).status).toBe(0);
});

it("says on a signal how memory fares, with every pool", async () => {
  const cwd = await folderWith(STACK);
  const served = start(["serve", "s.yaml", "--memory", "3MiB"], { cwd });
  await served.printed("ready");
  served.askForReport();
  served.stop();
  expect((await served.finished).status).toBe(0);
  const { memory, pools } = JSON.parse(served.stderr()) as MemoryReport;
  expect(memory).toMatchObject({ totalBytes: 3 * 2 ** 20, directRounds: 0, stalls: 0 });
  const usedBytes = memory.totalBytes - memory.freeBytes;
  // Sixteen bios for one export, each with a table of vectors of some 14 KiB.
  expect(usedBytes).toBeGreaterThan(16 * 14_000);
  expect(usedBytes).toBeLessThan(2 ** 20);
  expect(pools).toContainEqual({
    label: 'bio_set "nbd "a b""',
    minNr: 16,
    currNr: 16,
    lowestNr: 16,
    fromReserve: 0,
    waits: 0,
  });
});

it("clients have what --limit leaves them, and no more", async () => {
  const cwd = await folderWith(STACK);
  const limits = ["--limit", "connections=1", "--limit", "idle=100ms"];
  const served = start(["serve", "s.yaml", "--listen", "unix:s", ...limits], { cwd });
  await served.printed("ready");
  const unix = join(cwd, "s");
  const first = await NbdClient.connect({ unix });
  await expect(NbdClient.connect({ unix })).rejects.toThrow();
  expect(served.stderr()).toBe("blkstack: turned a client away: too many connections\n");
  // It says nothing until it is closed for that; then there is room.
  await vi.waitFor(async () => {
    await (await NbdClient.connect({ unix })).close();
  });
  await expect(first.read(0, 512)).rejects.toThrow();
  served.stop();
  expect((await served.finished).status).toBe(0);
});

/** Why something cannot be served, its command line, and the one line about it. */
const MISTAKES: readonly (readonly [what: string, argv: string, complaint: string])[] = [
  [
    "a socket path that is a folder",
    "s.yaml --listen unix:taken",
    "CWD/taken is there already, and is no socket",
  ],
  [
    "an address of somebody else's",
    "s.yaml --listen unix:free --allow-plain --listen tcp:192.0.2.1:0",
    "cannot listen on 192.0.2.1 port 0: listen EADDRNOTAVAIL: address not available 192.0.2.1",
  ],
  [
    "an image that is not there",
    "--file none.img",
    'disk "none.img": CWD/none.img: No such file or directory; check the path, or give create and a size to make it',
  ],
  [
    "a folder without certificates",
    "s.yaml --tls taken",
    "TLS: CWD/taken has neither server-cert.pem, with server-key.pem, nor keys.psk",
  ],
  [
    "more in flight than there is memory",
    "s.yaml --limit bytes-in-flight=1GiB",
    "--limit bytes-in-flight=1GiB: it should be at most 135MiB, which is what --memory leaves for all clients",
  ],
  [
    "a limit that nobody knows",
    "s.yaml --limit clients=5",
    '--limit clients=5: there is no limit "clients"; it should be one of connections, connections-per-peer, negotiating, negotiating-per-peer, requests-in-flight, bytes-in-flight, handshake, idle, stall, keep-alive, stop',
  ],
  ["a stack without exports", "nothing.yaml", "the stack file has no exports to serve"],
];

it.each(MISTAKES)(
  "%s leaves nothing behind, with exit status 2",
  async (_what, argv, complaint) => {
    const cwd = await folderWith(STACK);
    await writeFile(join(cwd, "nothing.yaml"), DISK);
    await mkdir(join(cwd, "taken"));
    expect(await run(["serve", ...argv.split(" ")], { cwd })).toEqual({
      status: 2,
      stdout: "",
      stderr: `blkstack: ${complaint.replaceAll("CWD", cwd)}\n`,
    });
    expect(await readdir(cwd)).toEqual(["nothing.yaml", "s.yaml", "taken"]);
  },
);

it("what a client wrote is in the image when the server has ended", async () => {
  const cwd = await folderWith(STACK);
  const served = start(["serve", "s.yaml", "--listen", "unix:s", "--memory", "3MiB"], { cwd });
  await served.printed("ready");
  const client = await NbdClient.connect({ unix: join(cwd, "s") });
  await client.write(512, new Uint8Array(1024).fill(7));
  served.stop();
  expect((await served.finished).status).toBe(0);
  const image = await readFile(join(cwd, "new.img"));
  expect([...new Set(image.subarray(512, 1536))]).toEqual([7]);
  expect(image.length).toBe(64 * 1024);
});
