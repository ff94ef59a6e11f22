import type { TargetType } from "@blkstack/block";
import { parseTable, TableError } from "@blkstack/device-mapper";
import type { GoldenCase, GoldenOp } from "./case-file.ts";
import { asArrived } from "./deviations.ts";

/** The types that tables of the case went live with in the kernel, and that there are none of here. */
export function missingTargets(
  { boots }: GoldenCase,
  types: readonly TargetType[],
): readonly string[] {
  const known = new Set(types.map(({ name }) => name));
  const needed = boots.flatMap(({ ops }) => ops.filter(wasTaken).flatMap(typesOf));
  return [...new Set(needed)].filter((type) => !known.has(type)).sort();
}

/** What a report says of each of them. */
export function needSentence(type: string): string {
  return `needs the target "${type}", which blkstack does not have yet`;
}

function wasTaken({ op, rc = 0 }: GoldenOp): boolean {
  return (op === "create" || op === "load") && rc === 0;
}

function typesOf({ table = [] }: GoldenOp): string[] {
  try {
    return parseTable(table.map(asArrived).join("\n")).map(({ type }) => type);
  } catch (error) {
    if (error instanceof TableError) return [];
    throw error;
  }
}
