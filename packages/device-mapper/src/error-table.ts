import type { Sectors } from "@blkstack/bio";
import { defineTarget, MapResult } from "@blkstack/block";
import { TargetRegistry } from "./registry.ts";

/** What stands in for a table that is taken away by force: no device, and every bio fails. */
const error = defineTarget({
  name: "error",
  version: [1, 0, 0],
  apiVersion: 1,
  create: () => ({ map: () => MapResult.Kill, status: () => "" }),
});

/** The types that `errorTableText` names, whatever targets people have registered. */
export const ERROR_TYPES: TargetRegistry = new TargetRegistry([error]);

/** The text of a table of that size in which everything fails. */
export function errorTableText(sizeSectors: Sectors): string {
  return `0 ${String(sizeSectors)} error`;
}
