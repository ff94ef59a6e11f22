import { describe, expect, it } from "vitest";
import { parseStack, planReload, StackError } from "./index.ts";

const FILE = `disks:
  base: { ram: 1MiB }
  cow: { ram: 1MiB }
groups:
  a: "rbps=1000000"
devices:
  vm: 0 2048 snapshot-origin base
  upper: 0 8 linear vm 0
  other: 0 8 linear cow 0
exports:
  vm: { device: vm }
  other: { device: other, group: a }
`;

/** The steps from the file to what becomes of it, each as its words. */
function steps(change: (text: string) => string, from = FILE): string[] {
  const plan = planReload(parseStack(from, "old.yaml"), parseStack(change(from), "new.yaml"));
  return plan.map(({ verb, name }) => `${verb} ${name}`);
}

const added = (what: string, before: string) => (text: string) =>
  text.replace(before, `${what}${before}`);

describe("the way from one stack file to the next", () => {
  it("has no steps when nothing but blanks and comments has changed", () => {
    const change = (text: string): string =>
      `# the same\n${text.replace("0 2048 snapshot-origin base", "|\n    # sectors\n    0   2048 snapshot-origin base\n")}`;
    expect(steps(change)).toEqual([]);
  });

  it("makes a snapshot while what stands on the same disks is suspended", () => {
    const change = added("  snap: 0 2048 snapshot base cow P 8\n", "exports:");
    expect(steps(change)).toEqual([
      "suspend other",
      "suspend vm",
      "create snap",
      "resume vm",
      "resume other",
    ]);
  });

  it("suspends what stands on a device whose table changes, and resumes it last", () => {
    const change = (text: string): string => text.replace("snapshot-origin base", "linear base 0");
    expect(steps(change)).toEqual([
      "suspend upper",
      "suspend vm",
      "load vm",
      "resume vm",
      "resume upper",
    ]);
  });

  it("opens what is new first, each device after those that it stands on, and offers it last", () => {
    const change = (text: string): string =>
      added(
        "  top: 0 8 linear low 0\n  low: 0 8 linear new 0\n",
        "exports:",
      )(text.replace("groups:", "  new: { ram: 1MiB }\ngroups:\n  b: wiops=5")).concat(
        "  top: { device: top, group: b }\n",
      );
    expect(steps(change)).toEqual([
      "open disk new",
      "add group b",
      "create low",
      "create top",
      "add export top",
    ]);
  });

  it("takes away last what nobody uses any more: exports, then devices from above, then disks", () => {
    const change = (text: string): string =>
      text.replace(/ {2}(base|vm|upper): .*\n/g, "").replace(/ {2}vm: .*\n/, "");
    expect(steps(change)).toEqual([
      "check upper",
      "check vm",
      "check base",
      "remove export vm",
      "remove device upper",
      "remove device vm",
      "close disk base",
    ]);
  });

  it("changes limits where they are, and an export by offering it anew", () => {
    const change = (text: string): string =>
      text
        .replace("rbps=1000000", "rbps=5 wbps=7")
        .replace("vm: { device: vm }", "vm: { device: upper }");
    expect(steps(change)).toEqual(["limit group a", "remove export vm", "add export vm"]);
  });

  it("takes a group away when its last export has left it", () => {
    const change = (text: string): string =>
      text.replace(/groups:\n.*\n/, "").replace(", group: a", "");
    expect(steps(change)).toEqual(["remove export other", "add export other", "remove group a"]);
  });

  it("makes disks longer before anything is made of them, and never shorter", () => {
    const from = FILE.replace("base: { ram: 1MiB }", "base: { file: x, size: 1MiB }");
    const to = (size: string, table = "0 2048") => {
      return (text: string): string => text.replace("1MiB", size).replace("0 2048", table);
    };
    expect(steps(to("2MiB", "0 4096"), from)).toEqual([
      "grow disk base",
      "suspend upper",
      "suspend vm",
      "load vm",
      "resume vm",
      "resume upper",
    ]);
    expect(() => steps(to("512KiB"), from)).toThrow(/disk "base" is open and cannot become/);
    const renamed = (text: string): string => to("2MiB")(text).replace("file: x", "file: y");
    expect(() => steps(renamed, from)).toThrow(/disk "base" is open and cannot become/);
  });

  it("does not lead past a disk that is to become another one", () => {
    const change = (text: string): string =>
      text.replace("cow: { ram: 1MiB }", "cow: { ram: 2MiB }");
    expect(() => steps(change)).toThrow(StackError);
    expect(() => steps(change)).toThrow(/^new.yaml:3:3: disk "cow" is open and cannot become/);
  });
});
