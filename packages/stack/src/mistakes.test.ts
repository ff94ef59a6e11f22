import { expect, it } from "vitest";
import { parseStack, StackError } from "./index.ts";

const BASE = "disks:\n  base: { ram: 1MiB }\n";

/** What is wrong, the text, and the one line that says so. */
const MISTAKES: readonly (readonly [what: string, text: string, complaint: string])[] = [
  [
    "an empty file",
    "",
    "s.yaml:1:1: the stack file is empty; it should be a mapping with the keys targets, disks, groups, devices and exports",
  ],
  [
    "a list in place of the sections",
    "- disks\n",
    "s.yaml:1:1: the stack file is a list; it should be a mapping with the keys targets, disks, groups, devices and exports",
  ],
  [
    "a tab",
    "disks:\n\tbase: { ram: 1MiB }\n",
    "s.yaml:2:1: not valid YAML: Tabs are not allowed as indentation",
  ],
  [
    "an unclosed brace",
    "disks:\n  base: { ram: 1MiB\n",
    "s.yaml:3:1: not valid YAML: Flow map in block collection must be sufficiently indented and end with a }",
  ],
  [
    "a name given twice",
    `${BASE}  base: { ram: 2MiB }\n`,
    's.yaml:3:3: key "base" is given twice; each name of a mapping must be given once',
  ],
  [
    "a second document",
    "disks: {}\n---\ndisks: {}\n",
    "s.yaml:2:1: a second document begins here; a stack file should be one document",
  ],
  ["an unknown tag", "disks: !foo {}\n", "s.yaml:1:8: not valid YAML: Unresolved tag: !foo"],
  [
    "an alias of nothing",
    "disks: *d\n",
    "s.yaml:1:1: not valid YAML: Unresolved alias (the anchor must be set before the alias): d",
  ],
  [
    "an unknown section",
    "disk:\n  base: { ram: 1MiB }\n",
    's.yaml:1:1: unknown key "disk" in the stack file; did you mean "disks"?',
  ],
  [
    "an unknown key far from all",
    "disks:\n  base: { ram: 1MiB, colour: red }\n",
    's.yaml:2:22: unknown key "colour" in disks.base; known are file, loop, nbd, ram, offset, size, create, readOnly, direct, connections, reconnect, reconnectSeconds, timeoutSeconds, writeThrough',
  ],
  [
    "an unknown key of a disk",
    "disks:\n  base: { flie: x.img }\n",
    's.yaml:2:11: unknown key "flie" in disks.base; did you mean "file"?',
  ],
  [
    "an unknown key of an export",
    `${BASE}exports:\n  e:\n    device: base\n    readonly: true\n`,
    's.yaml:6:5: unknown key "readonly" in exports.e; did you mean "readOnly"?',
  ],
  [
    "a disk that is text",
    "disks:\n  base: x.img\n",
    's.yaml:2:9: disks.base is "x.img"; it should be either { file: PATH, size, create, readOnly, direct }, { loop: PATH, offset, size, create, readOnly }, { nbd: URI, size, connections, reconnect, reconnectSeconds, timeoutSeconds, writeThrough, readOnly } or { ram: SIZE, readOnly }',
  ],
  [
    "a disk without file or ram",
    "disks:\n  base: { size: 1MiB }\n",
    's.yaml:2:3: disks.base is {"size":"1MiB"}; it should be either { file: PATH, size, create, readOnly, direct }, { loop: PATH, offset, size, create, readOnly }, { nbd: URI, size, connections, reconnect, reconnectSeconds, timeoutSeconds, writeThrough, readOnly } or { ram: SIZE, readOnly }',
  ],
  [
    "a disk with file and ram",
    "disks:\n  base: { file: x, ram: 1MiB }\n",
    's.yaml:2:3: disks.base is {"file":"x","ram":"1MiB"}; it should be either { file: PATH, size, create, readOnly, direct }, { loop: PATH, offset, size, create, readOnly }, { nbd: URI, size, connections, reconnect, reconnectSeconds, timeoutSeconds, writeThrough, readOnly } or { ram: SIZE, readOnly }',
  ],
  [
    "an offset of what is no loop device",
    "disks:\n  base: { file: x, offset: 1MiB }\n",
    's.yaml:2:3: disks.base is {"file":"x","offset":"1MiB"}; it should be either { file: PATH, size, create, readOnly, direct }, { loop: PATH, offset, size, create, readOnly }, { nbd: URI, size, connections, reconnect, reconnectSeconds, timeoutSeconds, writeThrough, readOnly } or { ram: SIZE, readOnly }',
  ],
  [
    "an offset beyond all files",
    "disks:\n  base: { loop: x, offset: 99999TiB }\n",
    's.yaml:2:28: disk "base": "99999TiB" lies behind the end of every file',
  ],
  [
    "a loop device that would be created without a size",
    "disks:\n  base: { loop: x, create: true }\n",
    's.yaml:2:28: disk "base": create: true needs a size, as in size: 64MiB',
  ],
  [
    "a ram disk that would be created",
    "disks:\n  base: { ram: 1MiB, create: true }\n",
    's.yaml:2:3: disks.base is {"ram":"1MiB","create":true}; it should be either { file: PATH, size, create, readOnly, direct }, { loop: PATH, offset, size, create, readOnly }, { nbd: URI, size, connections, reconnect, reconnectSeconds, timeoutSeconds, writeThrough, readOnly } or { ram: SIZE, readOnly }',
  ],
  [
    "a kind of reconnecting that there is not",
    "disks:\n  base: { nbd: nbd://here, reconnect: always }\n",
    's.yaml:2:39: disks.base.reconnect is "always"; it should be none, fail or reissue',
  ],
  [
    "too many connections",
    "disks:\n  base: { nbd: nbd://here, connections: 17 }\n",
    "s.yaml:2:41: disks.base.connections is 17; it should be a number of connections, from 1 to 16",
  ],
  [
    "a limit for what is not done",
    "disks:\n  base: { nbd: nbd://here, reconnectSeconds: 5 }\n",
    's.yaml:2:46: disk "base": reconnectSeconds needs reconnect: fail, or reissue',
  ],
  [
    "connections of a file",
    "disks:\n  base: { file: x, connections: 2 }\n",
    's.yaml:2:3: disks.base is {"file":"x","connections":2}; it should be either { file: PATH, size, create, readOnly, direct }, { loop: PATH, offset, size, create, readOnly }, { nbd: URI, size, connections, reconnect, reconnectSeconds, timeoutSeconds, writeThrough, readOnly } or { ram: SIZE, readOnly }',
  ],
  [
    "a size with a wrong unit",
    "disks:\n  cow: { file: c, size: 64Mib, create: true }\n",
    's.yaml:2:25: disks.cow.size is "64Mib"; it should be a size: bytes, or a number with a unit, as in 4096, 64MiB, 1GiB or 10GB',
  ],
  [
    "a size of half a byte",
    "disks:\n  base: { ram: 4096.5 }\n",
    "s.yaml:2:16: disks.base.ram is 4096.5; it should be a size: bytes, or a number with a unit, as in 4096, 64MiB, 1GiB or 10GB",
  ],
  [
    "a negative size",
    "disks:\n  base: { ram: -512 }\n",
    "s.yaml:2:16: disks.base.ram is -512; it should be a size: bytes, or a number with a unit, as in 4096, 64MiB, 1GiB or 10GB",
  ],
  [
    "a size of nothing",
    "disks:\n  base: { ram: 0KiB }\n",
    's.yaml:2:16: disk "base": "0KiB" is empty; it should be at least 512 bytes',
  ],
  [
    "a size of part of a sector",
    "disks:\n  base: { ram: 1MB }\n",
    's.yaml:2:16: disk "base": "1MB" is 1000000 bytes, which is no multiple of 512; a disk has whole sectors',
  ],
  [
    "a size in odd bytes",
    "disks:\n  base: { ram: 1000 }\n",
    's.yaml:2:16: disk "base": 1000 is no multiple of 512; a disk has whole sectors',
  ],
  [
    "a size beyond counting",
    "disks:\n  base: { ram: 99999999TiB }\n",
    's.yaml:2:16: disk "base": "99999999TiB" is larger than a disk can be; it should be below 8PiB',
  ],
  [
    "a path that is a number",
    "disks:\n  base: { file: 7 }\n",
    "s.yaml:2:17: disks.base.file is 7; it should be the path of a file, relative to the stack file",
  ],
  [
    "an empty path",
    'disks:\n  base: { file: "" }\n',
    's.yaml:2:17: disks.base.file is ""; it should be the path of a file, relative to the stack file',
  ],
  [
    "a switch that is text",
    'disks:\n  base: { file: x, readOnly: "yes" }\n',
    's.yaml:2:30: disks.base.readOnly is "yes"; it should be true or false',
  ],
  [
    "creating without a size",
    "disks:\n  base: { file: x, create: true }\n",
    's.yaml:2:28: disk "base": create: true needs a size, as in size: 64MiB',
  ],
  [
    "creating read-only",
    "disks:\n  base: { file: x, size: 1MiB, create: true, readOnly: true }\n",
    's.yaml:2:56: disk "base": readOnly: true and create: true contradict; leave one out',
  ],
  [
    "a name with a slash",
    "disks:\n  a/b: { ram: 1MiB }\n",
    's.yaml:2:3: the name "a/b" has a "/"; a name is no path, leave it out',
  ],
  [
    "an empty name",
    'disks:\n  "": { ram: 1MiB }\n',
    's.yaml:2:3: the name "" is empty; it should have 1 to 127 bytes',
  ],
  [
    "a name with a line break",
    'disks:\n  "a\\nb": { ram: 1MiB }\n',
    's.yaml:2:3: the name "a\\nb" has a control character; only printable ones may be in a name',
  ],
  [
    "a name of 128 bytes",
    `disks:\n  ${"ü".repeat(64)}: { ram: 1MiB }\n`,
    `s.yaml:2:3: the name "${"ü".repeat(64)}" has 128 bytes; it should have at most 127`,
  ],
  [
    "the name of an export with a line break",
    'disks:\n  a: { ram: 1MiB }\nexports:\n  "a\\nb": { device: a }\n',
    's.yaml:4:3: the name "a\\nb" has a control character; only printable ones may be in a name',
  ],
  [
    "the name of an export with 4097 bytes",
    `disks:\n  a: { ram: 1MiB }\nexports:\n  ? ${"b".repeat(4097)}\n  : { device: a }\n`,
    `s.yaml:4:5: the name "${"b".repeat(4097)}" has 4097 bytes; it should have at most 4096`,
  ],
  [
    "a disk and a device of one name",
    `${BASE}devices:\n  base: 0 8 linear base 0\n`,
    's.yaml:4:3: "base" names a disk already; tables could not tell the two apart',
  ],
  [
    "an unknown limit",
    "groups:\n  a: rpbs=10\n",
    's.yaml:2:6: group "a": unknown limit "rpbs"; did you mean "rbps"?',
  ],
  [
    "a limit given twice",
    "groups:\n  a: rbps=10 rbps=20\n",
    's.yaml:2:6: group "a": the limit rbps is given twice; give it once',
  ],
  [
    "a limit of nothing",
    "groups:\n  a: rbps=10 wiops=0\n",
    's.yaml:2:6: group "a": "wiops=0" is no limit; it should be wiops=NUMBER, from 2 on, or wiops=max',
  ],
  [
    "a limit that kernels refuse",
    "groups:\n  a: rbps=10 wiops=1\n",
    's.yaml:2:6: group "a": "wiops=1" is no limit; it should be wiops=NUMBER, from 2 on, or wiops=max',
  ],
  [
    "a weight out of range",
    "groups:\n  a: rbps=10 weight=1001\n",
    's.yaml:2:6: group "a": "weight=1001" is no weight; it should be weight=NUMBER, from 10 to 1000',
  ],
  [
    "a weight that is no number",
    "groups:\n  a: weight=max\n",
    's.yaml:2:6: group "a": "weight=max" is no weight; it should be weight=NUMBER, from 10 to 1000',
  ],
  [
    "a weight given twice",
    "groups:\n  a: weight=10 weight=20\n",
    's.yaml:2:6: group "a": the weight is given twice; give it once',
  ],
  [
    "a misspelt weight",
    "groups:\n  a: wieght=10\n",
    's.yaml:2:6: group "a": unknown limit "wieght"; did you mean "weight"?',
  ],
  [
    "a group below one that is not there",
    "groups:\n  a/b: weight=10\n",
    's.yaml:2:3: the group "a/b" is below "a", which is not there; add that to groups',
  ],
  [
    "a group whose name ends in nothing",
    "groups:\n  a: weight=10\n  a/: weight=10\n",
    's.yaml:3:3: the name "" is empty; it should have 1 to 127 bytes (in the name of the group "a/")',
  ],
  [
    "a limit that is no number",
    "groups:\n  a: wiops=1e3\n",
    's.yaml:2:6: group "a": "wiops=1e3" is no limit; it should be wiops=NUMBER, from 2 on, or wiops=max',
  ],
  [
    "a burst without a unit",
    "groups:\n  a: burst=500\n",
    's.yaml:2:6: group "a": "burst=500" is no time; it should be burst=NUMBERms or burst=NUMBERs',
  ],
  [
    "a table that is a list",
    "devices:\n  md: [0, 8]\n",
    "s.yaml:2:3: devices.md is a list; it should be table text, a line START LENGTH TARGET ARGUMENTS for each target",
  ],
  [
    "a table that says nothing",
    'devices:\n  md: ""\n',
    's.yaml:2:7: device "md" has an empty table; it should have lines START LENGTH TARGET ARGUMENTS, as in 0 2048 linear base 0',
  ],
  [
    "devices in a circle",
    `${BASE}devices:\n  a: 0 8 linear b 0\n  b: |\n    0 8 linear base 0\n    8 8 linear c 0\n  c: 0 8 linear a 0\n`,
    's.yaml:4:3: devices stand on each other in a circle: "a" -> "b" -> "c" -> "a"; one of them should stand on a disk',
  ],
  [
    "a device on itself",
    "devices:\n  a: 0 8 linear a 0\n",
    's.yaml:2:3: devices stand on each other in a circle: "a" -> "a"; one of them should stand on a disk',
  ],
  [
    "an export without a device",
    "exports:\n  e: { readOnly: true }\n",
    's.yaml:2:3: exports.e lacks the key "device"; it should be an export, as in { device: md, readOnly: true }',
  ],
  [
    "an export of an unknown device",
    `${BASE}exports:\n  e: { device: bsae }\n`,
    's.yaml:4:16: export "e": unknown device "bsae"; did you mean "base"?',
  ],
  [
    "an export of something else",
    `${BASE}exports:\n  e: { device: somewhere }\n`,
    's.yaml:4:16: export "e": unknown device "somewhere"; it should name a disk or device',
  ],
  [
    "an export in an unknown group",
    `${BASE}groups:\n  gold: ""\nexports:\n  e: { device: base, group: glod }\n`,
    's.yaml:6:29: export "e": unknown group "glod"; did you mean "gold"?',
  ],
  [
    "two defaults",
    `${BASE}exports:\n  a: { device: base, default: true }\n  b: { device: base, default: true }\n`,
    's.yaml:5:31: export "b": "a" is the default already; only one can be',
  ],
  [
    "a table line without a target",
    `${BASE}devices:\n  md: |\n    0 8 linear base 0\n    8 8\n`,
    's.yaml:6:5: device "md": table line 2: invalid format: "8 8" is not BEGIN LENGTH TYPE [ARGUMENT…]',
  ],
  [
    "a table line that begins with a word",
    `${BASE}devices:\n  md: linear base 0\n`,
    's.yaml:4:7: device "md": table line 1: invalid format: "linear base 0" is not BEGIN LENGTH TYPE [ARGUMENT…]',
  ],
];

it.each(MISTAKES)("%s is told in one line", (_what, text, complaint) => {
  let thrown: unknown;
  try {
    parseStack(text, "s.yaml");
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(StackError);
  expect((thrown as StackError).message).toBe(complaint);
});

it("a complaint says its place to programs as well", () => {
  const complain = () => parseStack("disks:\n  base: { ram: many }\n", "s.yaml");
  expect(complain).toThrow(
    expect.objectContaining({ code: "BLK_STACK", fileName: "s.yaml", at: { line: 2, column: 16 } }),
  );
});
