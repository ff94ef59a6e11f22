import { BlockError, defineTarget, type TargetContext } from "@blkstack/block";
import { describe, expect, it } from "vitest";
import { Bench } from "../test/bench.ts";
import { failing } from "../test/test-targets.ts";
import { TableError } from "./table-error.ts";

/** Makes a table whose second line is of a target that does this when it is made. */
async function make(create: (context: TargetContext) => void, ...args: string[]): Promise<Bench> {
  const type = defineTarget({
    ...failing,
    name: "odd",
    create(context) {
      create(context);
      return failing.create(context);
    },
  });
  const bench = new Bench({ types: [type] });
  await bench.create("md", "0 8 failing", ["8 8 odd", ...args].join(" "));
  return bench;
}

async function refusal(
  create: (context: TargetContext) => void,
  ...args: string[]
): Promise<TableError> {
  const error: unknown = await make(create, ...args).then(
    () => expect.unreachable("the table was taken"),
    (reason: unknown) => reason,
  );
  if (error instanceof TableError) return error;
  throw error;
}

const COMPLAINTS: readonly (readonly [
  create: (context: TargetContext) => void,
  args: readonly string[],
  expected: { errno: string; argumentNumber?: number; message: string; said: string },
])[] = [
  [
    ({ argumentCount }) => {
      argumentCount(2);
    },
    ["a", "0", "1"],
    {
      errno: "EINVAL",
      message: "table line 2: odd: Invalid argument count (takes 2, got 3)",
      said: "odd: Invalid argument count (-EINVAL)",
    },
  ],
  ...["x5", "5x", "-5", "1.5"].map(
    (text) =>
      [
        ({ sector }: TargetContext) => {
          sector(text);
        },
        [text],
        {
          errno: "EINVAL",
          argumentNumber: 1,
          message:
            "table line 2, argument 1: odd: Invalid device sector " +
            `("${text}" is not an unsigned decimal number)`,
          said: "odd: Invalid device sector (-EINVAL)",
        },
      ] as const,
  ),
  [
    ({ openDevice }) => {
      openDevice("none");
    },
    ["a", "none"],
    {
      errno: "ENODEV",
      argumentNumber: 2,
      message: 'table line 2, argument 2: odd: Device lookup failed (there is no device "none")',
      said: "odd: Device lookup failed (-ENODEV)",
    },
  ],
  [
    ({ openDevice }) => {
      openDevice("md", "Cannot get origin device");
    },
    ["md"],
    {
      errno: "EINVAL",
      argumentNumber: 1,
      message:
        'table line 2, argument 1: odd: Cannot get origin device ("md" would stand on itself)',
      said: "odd: Cannot get origin device (-EINVAL)",
    },
  ],
  [
    ({ openDevice }) => {
      openDevice("none");
    },
    ["written=otherwise"],
    {
      errno: "ENODEV",
      message: 'table line 2: odd: Device lookup failed (there is no device "none")',
      said: "odd: Device lookup failed (-ENODEV)",
    },
  ],
  [
    ({ error }) => {
      throw error("Invalid chunk size");
    },
    ["7"],
    {
      errno: "EINVAL",
      message: "table line 2: odd: Invalid chunk size",
      said: "odd: Invalid chunk size (-EINVAL)",
    },
  ],
  [
    ({ error }) => {
      throw error("No room", "ENOSPC", "8 of 9 blocks");
    },
    [],
    {
      errno: "ENOSPC",
      message: "table line 2: odd: No room (8 of 9 blocks)",
      said: "odd: No room (-ENOSPC)",
    },
  ],
];

it.each(COMPLAINTS)("a target complains with its line: %s", async (create, args, expected) => {
  const { said, argumentNumber, ...rest } = expected;
  const error = await refusal(create, ...args);
  expect(error).toMatchObject({ code: "BLK_TABLE", ...rest });
  expect(error.argumentNumber).toBe(argumentNumber);
  expect(error.kernelLog).toEqual([`table: 253:0: ${said}`, "ioctl: error adding target to table"]);
});

describe("a device that cannot be opened", () => {
  it("leaves its own error as the cause", async () => {
    const { cause } = await refusal(({ openDevice }) => openDevice("none"), "none");
    expect(cause).toBeInstanceOf(BlockError);
    expect(cause).toMatchObject({ code: "BLK_DEVICE", errno: "ENODEV" });
    const onItself = await refusal(({ openDevice }) => openDevice("md"), "md");
    expect(onItself.cause).toMatchObject({ code: "BLK_DEVICE", errno: "EINVAL" });
  });

  it("for a reason that is no refusal is none of the table's mistakes", async () => {
    const defect = new TypeError("the lookup is broken");
    const bench = new Bench({
      lookup: () => {
        throw defect;
      },
    });
    await expect(bench.create("md", "0 8 probe a")).rejects.toBe(defect);
    expect(bench.dm.list()).toEqual([]);
  });
});

it("what needs no complaint has none: counts of arguments, and sectors to the last", async () => {
  const sectors: number[] = [];
  await make(
    ({ args, argumentCount, sector }) => {
      argumentCount(4);
      sectors.push(...args.map((text) => sector(text)));
    },
    "0",
    "007",
    "9007199254740991",
    // It wraps around.
    "18446744073709551617",
  );
  expect(sectors).toEqual([0, 7, Number.MAX_SAFE_INTEGER, 1]);
});

it("a target is told all that there is around it", async () => {
  const seen: TargetContext[] = [];
  const bench = await make((context) => {
    seen.push(context);
  }, "x");
  const [context] = seen;
  expect(context).toMatchObject({
    args: ["x"],
    begin: 8,
    sizeSectors: 8,
    deviceName: "md",
    isReadOnly: false,
  });
  expect(context?.scheduler).toBe(bench.scheduler);
  expect(context?.submitter).toBe(bench.submitter);
  expect(context?.host.device).toBe(bench.dm.get("md"));
});
