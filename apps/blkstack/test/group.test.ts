import { describe, expect, it } from "vitest";
import { Controlled } from "./control.ts";

const STACK = `disks:
  disk: { ram: 1MiB }
groups:
  light: "weight=100 rbps=max"
  heavy: "weight=300 wbps=1048576"
  heavy/inner: "riops=2"
devices:
  md: 0 8 linear disk 0
exports:
  a: { device: disk, group: light }
  b: { device: disk, group: heavy }
  c: { device: md, group: heavy/inner }
`;
const block = Buffer.alloc(4096, 1);

it("groups are listed with what they may and who they are, and changed by their name", async () => {
  const server = await Controlled.start(STACK);
  await server.do("group set heavy wbps=max riops=50 burst=2s weight=600");
  expect(await server.do("group ls")).toBe(
    [
      "group        weight  limits                 exports",
      'light        100                            "a"',
      'heavy        600     riops=50 burst=2000ms  "b"',
      'heavy/inner          riops=2                "c"',
      "",
    ].join("\n"),
  );
  const { groups } = JSON.parse(await server.do("group ls --json")) as { groups: object[] };
  expect(groups[1]).toMatchObject({ name: "heavy", weight: 600, limits: { riops: 50 } });
});

it("what a group has done is told at once, with its share of each device", async () => {
  const server = await Controlled.start(STACK);
  const client = await server.client("a");
  // The group counts it; its share of the device comes into being with it, and counts after it.
  await client.read(0, 512);
  await client.write(0, block);
  await client.read(0, 4096);
  await client.read(0, 4096);
  await client.close();
  const text = await server.do("group stat");
  expect(text).toContain("light        8704        3      4096           1       0         0\n");
  expect(text).toMatch(/\n\ngroup +device +weight +ms +bios +merged +queued +ran out\n/);
  expect(text).toMatch(/\nlight +disk +100 +\d+ +3 +0 +0 +\d\n/);
  const all = "rbytes=8704 wbytes=4096 rios=3 wios=1 dbytes=0 dios=0";
  const counted = "rbytes=8192 wbytes=4096 rios=2 wios=1 dbytes=0 dios=0";
  const lines = (await server.do("group stat light --text io.stat")).split("\n");
  expect(lines[0]).toBe(`light ${all}`);
  expect(lines[1]).toMatch(new RegExp(`^light disk ${counted} cfq.weight=100 cfq.time=\\d+ `));
  const files = await server.do("group stat light --text blkio");
  expect(files).toContain("light io_serviced disk Write 1\n");
  expect(files).toContain("light throttle.io_serviced light Total 4\n");
  const json = JSON.parse(await server.do("group stat light --json")) as { groups: object[] };
  expect(json.groups).toMatchObject([{ counts: { rbytes: 8704 }, shares: [{ serviced: 3 }] }]);
});

it("a limit that is taken away lets go what a client waits for", async () => {
  const server = await Controlled.start(STACK.replace("riops=2", "riops=2 wbps=2"));
  const client = await server.client("c");
  let isWritten = false;
  const written = client.write(0, block).then(() => (isWritten = true));
  while (!(await server.do("group stat heavy/inner --json")).includes('"held":1')) {
    expect(isWritten).toBe(false);
  }
  await server.do("group set heavy/inner wbps=max");
  await written;
  await client.close();
});

describe("a request about groups is refused", () => {
  it.each([
    ["group set light weight=5", 'group "light": "weight=5" is no weight; it should be weight=NUM'],
    ["group set nobody rbps=5", 'there is no group "nobody"'],
    ["group stat nobody", 'there is no group "nobody"'],
    ["group set heavy/inner weight=50", 'group "heavy/inner" is in use and had no weight at the'],
    ["export add d disk --group nobody", 'there is no group "nobody"'],
    ["dm remove md", '"md" is exported as "c"; remove that first'],
  ])("%s", async (argv, message) => {
    const server = await Controlled.start(STACK);
    const { status, stderr } = await server.run(argv);
    expect(stderr).toContain(message);
    expect(status).toBe(1);
  });
});

it("an export that is added to a group has its limits, until it is removed", async () => {
  const server = await Controlled.start(STACK);
  await server.do("export add d disk --group light");
  expect(await server.do("export ls")).toContain('"d"     disk    light        write   0');
  const refused = await server.run("export add d disk --group light");
  expect(refused.status).toBe(1);
  const client = await server.client("d");
  await client.read(0, 512);
  await client.write(0, block);
  await client.close();
  await server.do("export remove d --force", "export remove c", "dm remove md");
  expect(await server.do("group stat light --text io.stat")).toContain("wbytes=4096");
});
