import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { run, temporaryFolder } from "./cli.ts";

/** A command line that cannot be, and the one line about it. */
const MISTAKES: readonly (readonly [argv: string, complaint: string])[] = [
  ["", "no command; see blkstack --help"],
  ["srve", "unknown command 'srve' (Did you mean serve?)"],
  ["check", "missing required argument 'stack'"],
  ["check a b", "too many arguments for 'check'. Expected 1 argument but got 2."],
  ["check none.yaml", "cannot read the stack file none.yaml: no such file or directory"],
  ["serve", "nothing to serve; give a stack file, or --file and an image"],
  ["serve a.yaml --file b.img", "give the stack file a.yaml or --file b.img, not both"],
  ["serve a.yaml --read-only", "--read-only goes with --file; a stack file says readOnly: true"],
  ["serve a.yaml --lisen unix:x", "unknown option '--lisen' (Did you mean --listen?)"],
  [
    "serve a.yaml --listen inet:1",
    '--listen "inet:1" is no address; it should be unix:PATH or tcp:HOST:PORT',
  ],
  [
    "serve a.yaml --listen tcp:localhost:65536",
    '--listen "tcp:localhost:65536" is no address; it should be unix:PATH or tcp:HOST:PORT',
  ],
  ["serve a.yaml --memory lots", "--memory lots: not a size; it should be like 64MiB or 1GiB"],
  ["serve a.yaml --memory 1MiB", "--memory 1MiB: too little to serve; it should be at least 2MiB"],
  ["serve a.yaml --stdio --run x", "--stdio serves one client; leave --listen and --run out"],
  ["serve a.yaml --tls-mode on", "--tls-mode and --tls-verify-peer go with --tls and a folder"],
  [
    "serve a.yaml --tls d --tls-mode off",
    "--tls-mode off is unknown; it should be one of on, require",
  ],
  [
    "serve a.yaml --listen tcp:0.0.0.0:1",
    "--listen tcp:0.0.0.0:1 is for other machines, and in clear anybody on the way can read and write; " +
      "give --tls and a folder, or --allow-plain if that is meant",
  ],
  [
    "serve a.yaml --listen tcp:[::]:1 --tls d --tls-mode on",
    "--listen tcp:[::]:1 is for other machines, and in clear anybody on the way can read and write; " +
      "leave --tls-mode on out, to require TLS, or --allow-plain if that is meant",
  ],
  ["serve a.yaml --http h", '--http "h" is no address; it should be HOST:PORT or PORT'],
  ["serve a.yaml --http h:65536", '--http "h:65536" is no address; it should be HOST:PORT or PORT'],
  [
    "serve a.yaml --disable df --disable x",
    "--disable x is unknown; it should be one of structured-reply, extended-headers, " +
      "meta-context, df, flush, fua, trim, zero, fast-zero, cache, multi-conn",
  ],
  ["dm ls", "required option '--control <path>' not specified"],
  ["dm message vm x y --control p", "the sector x: it should be a whole number from 0 on"],
  ["dm suspend --control p", "missing required argument 'names'"],
  ["export add --control p", "missing required argument 'name'"],
  ["explore", "missing required argument 'name[:variant]'"],
  [
    "explore x --strategy luck",
    "--strategy luck is unknown; it should be one of exhaustive, dpor, preemptions, delays, " +
      "random, urw, pos, pct, portfolio",
  ],
  ["explore x --depth 0", "--depth 0: it should be a whole number from 1 on"],
  ["explore x --bound -1", "--bound -1: it should be a whole number from 0 on"],
  ["explore x --seed 1.5", "--seed 1.5: it should be a whole number from 0 on"],
  ["explore x --executions 0", "--executions 0: it should be a whole number from 1 on"],
  ["replay none.json", "cannot read the trace none.json: no such file or directory"],
];

it.each(MISTAKES)(
  "blkstack %s is told in one line, with exit status 2",
  async (argv, complaint) => {
    const words = argv.split(" ").filter((word) => word !== "");
    const cwd = await temporaryFolder();
    expect(await run(words, { cwd })).toEqual({
      status: 2,
      stdout: "",
      stderr: `blkstack: ${complaint}\n`,
    });
  },
);

it("the version is that of the package", async () => {
  const manifest = await readFile(new URL("../package.json", import.meta.url), "utf8");
  const { version } = JSON.parse(manifest) as { version: string };
  expect(await run(["--version"])).toEqual({ status: 0, stdout: `${version}\n`, stderr: "" });
});

it("help goes to standard output, with exit status 0", async () => {
  for (const argv of [["--help"], ["serve", "--help"], ["help", "explore"]]) {
    const { status, stdout, stderr } = await run(argv);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout).toMatch(/^Usage: blkstack /);
  }
});

it("a mistake in a stack file is one line that names the file as the user did", async () => {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, "s.yaml"), "disks:\n  base: { ram: 1Mib }\n");
  for (const command of ["check", "serve"]) {
    const { status, stdout, stderr } = await run([command, "s.yaml"], { cwd });
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(/^blkstack: s\.yaml:2:16: disks\.base\.ram is "1Mib"; [^\n]+\n$/);
  }
});
