import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { run, temporaryFolder } from "./cli.ts";
import { CHUNK_BYTES, writeCow } from "./cow-image.ts";

const EXAMPLES = fileURLToPath(new URL("../../../examples", import.meta.url));

it("the examples are good", async () => {
  const names = (await readdir(EXAMPLES)).filter((name) => name.endsWith(".yaml"));
  expect(names.length).toBeGreaterThan(0);
  for (const name of names) {
    const { status, stdout, stderr } = await run(["check", name], { cwd: EXAMPLES });
    expect({ name, status, stderr }).toEqual({ name, status: 0, stderr: "" });
    expect(stdout).toMatch(/^\S+ is good: \d disks?, \d devices?, \d exports?\n$/);
  }
});

/** What only shows when the stack is put together. */
const MISTAKES: readonly (readonly [what: string, text: string, complaint: string])[] = [
  [
    "an argument that is no sector",
    "disks:\n  a: { ram: 1MiB }\ndevices:\n  md: |\n    0 8 linear a 0\n    8 8 linear a 5x\n",
    's.yaml:6:18: device "md": table line 2, argument 2: linear: Invalid device sector ("5x" is not an unsigned decimal number)',
  ],
  [
    "a disk that would be created too small",
    "disks:\n  a: { file: new.img, size: 4KiB, create: true }\ndevices:\n  md: 0 9 linear a 0\n",
    's.yaml:4:7: device "md": table line 1: a too small for target: start=0, len=9, dev_size=8',
  ],
  [
    "an image that is not there",
    "disks:\n  a: { file: none.img }\n",
    's.yaml:2:3: disk "a": CWD/none.img: No such file or directory; check the path, or give create and a size to make it',
  ],
  [
    "an image to be made in no folder",
    "disks:\n  a: { file: no/new.img, size: 4KiB, create: true }\n",
    's.yaml:2:3: disk "a": CWD/no/new.img: there is no folder CWD/no; make it first',
  ],
  [
    "a disk at an address that is none",
    "disks:\n  a: { nbd: http://here }\n",
    's.yaml:2:3: "http://here" is no NBD URI: it begins with none of nbd://, nbds://, nbd+unix:// and nbds+unix://',
  ],
  [
    "a table behind the size that a remote disk is said to have",
    "disks:\n  a: { nbd: nbd://here, size: 4KiB }\ndevices:\n  md: 0 9 linear a 0\n",
    's.yaml:4:7: device "md": table line 1: a too small for target: start=0, len=9, dev_size=8',
  ],
  [
    "a loop device of a file that is not there",
    "disks:\n  a: { loop: none.img }\n",
    "s.yaml:2:3: CWD/none.img: No such file or directory; check the path, or give create and a size to make it",
  ],
  [
    "a loop device of a folder",
    "disks:\n  a: { loop: . }\n",
    "s.yaml:2:3: CWD is neither a regular file nor a block device; give one of these",
  ],
  [
    "a loop device that begins behind the end of its file",
    "disks:\n  a: { loop: s.yaml, offset: 1MiB }\n",
    's.yaml:2:3: loop device "a": CWD/s.yaml is 43 bytes long, which leaves no block behind byte 1048576',
  ],
  [
    "a loop device that is larger than its file",
    "disks:\n  a: { loop: s.yaml, size: 1MiB }\n",
    "s.yaml:2:3: CWD/s.yaml is 41 bytes long; offset and size need 1048576: make it longer, or leave out the size",
  ],
];

it.each(MISTAKES)("check tells of %s, and makes nothing", async (_what, text, complaint) => {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, "s.yaml"), text);
  expect(await run(["check", "s.yaml"], { cwd })).toEqual({
    status: 2,
    stdout: "",
    stderr: `blkstack: ${complaint.replaceAll("CWD", cwd)}\n`,
  });
  expect(await readdir(cwd)).toEqual(["s.yaml"]);
});

it("check makes no file of a good stack either", async () => {
  const cwd = await temporaryFolder();
  const disk = "  a: { file: new.img, size: 4KiB, create: true }\n";
  await writeFile(join(cwd, "s.yaml"), `disks:\n${disk}exports:\n  a: { device: a }\n`);
  expect((await run(["check", "s.yaml"], { cwd })).stdout).toBe(
    "s.yaml is good: 1 disk, 0 devices, 1 export\n",
  );
  expect(await readdir(cwd)).toEqual(["s.yaml"]);
});

it("check reads the store of a snapshot, and changes neither it nor the origin, not even to merge", async () => {
  const cwd = await temporaryFolder();
  const disks = "disks:\n  base: { file: base }\n  cow: { file: s.cow }\n";
  const merge = "devices:\n  vm: 0 128 snapshot-merge base cow P 8\n";
  await writeFile(join(cwd, "s.yaml"), disks + merge);
  await writeFile(join(cwd, "base"), new Uint8Array(16 * CHUNK_BYTES).fill(7));
  await writeCow(cwd, { entries: [[3, 2]] });
  const contents = () => Promise.all(["base", "s.cow"].map((name) => readFile(join(cwd, name))));
  const before = await contents();
  expect(await run(["check", "s.yaml"], { cwd })).toMatchObject({ status: 0, stderr: "" });
  expect(await contents()).toEqual(before);
  await writeCow(cwd, { version: 9 });
  expect(await run(["check", "s.yaml"], { cwd })).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("unable to handle snapshot disk version 9") as string,
  });
});
