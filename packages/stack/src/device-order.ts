import { errorAtName, type StackSource } from "./stack-source.ts";
import { tableArguments } from "./table-text.ts";

/**
 * The devices in an order in which each comes after those that its table names; else in the order
 * given. Throws a StackError that names the cycle when there is none.
 *
 * Which argument of a table is a device only its target knows, so every argument that is the name
 * of a device counts as one.
 */
export function orderDevices(
  devices: ReadonlyMap<string, string>,
  source: StackSource,
): readonly string[] {
  const ordered = new Set<string>();
  const path: string[] = [];
  const visit = (name: string): void => {
    if (ordered.has(name)) return;
    const from = path.indexOf(name);
    if (from >= 0) throw cycleError([...path.slice(from), name], source);
    path.push(name);
    for (const word of tableArguments(devices.get(name) ?? "")) {
      if (devices.has(word)) visit(word);
    }
    path.pop();
    ordered.add(name);
  };
  for (const name of devices.keys()) visit(name);
  return [...ordered];
}

function cycleError(cycle: readonly string[], source: StackSource): Error {
  const [first = ""] = cycle;
  const drawn = cycle.map((name) => JSON.stringify(name)).join(" -> ");
  const message = `devices stand on each other in a circle: ${drawn}; one of them should stand on a disk`;
  return errorAtName(source, ["devices", first], message);
}
