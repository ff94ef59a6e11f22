import { API_VERSION, type TargetType } from "@blkstack/block";
import { type StackDescription, StackError } from "@blkstack/stack";
import { importUserModule } from "./user-module.ts";

/** What is read of a stack file, and the folder that it lies in. */
interface ModulesOfStack {
  readonly description: Pick<StackDescription, "targets" | "source">;
  readonly baseDirectory: string;
}

/**
 * Imports the modules that a stack file names under `targets`: their code runs. Every target type that
 * a module exports can be named by tables.
 *
 * Throws a StackError with the place: the module cannot be found or fails, has no target type, one of
 * another contract, or one whose name is taken.
 */
export async function loadTargets(
  { description: { targets, source }, baseDirectory }: ModulesOfStack,
  known: readonly TargetType[],
): Promise<TargetType[]> {
  const taken = new Set(known.map(({ name }) => name));
  const loaded: TargetType[] = [];
  for (const [index, name] of targets.entries()) {
    const refuse = (why: string, cause?: unknown): Error => {
      const message = `module ${JSON.stringify(name)} ${why}`;
      return new StackError(source.fileName, source.position(["targets", index]), message, {
        cause,
      });
    };
    const exported = await importUserModule(name, baseDirectory).catch((cause: unknown) => {
      throw refuse(
        `cannot be loaded: ${cause instanceof Error ? cause.message : String(cause)}`,
        cause,
      );
    });
    const types = exported.filter(isTargetType);
    if (types.length === 0) {
      throw refuse("exports no target; it should export what defineTarget answers");
    }
    for (const type of types) {
      if (type.apiVersion !== API_VERSION) {
        const versions = `${String(type.apiVersion)}; this is version ${String(API_VERSION)}`;
        throw refuse(`has target ${JSON.stringify(type.name)} for contract version ${versions}`);
      }
      if (taken.has(type.name)) {
        throw refuse(
          `has target ${JSON.stringify(type.name)}, and there is one of that name already`,
        );
      }
      taken.add(type.name);
      loaded.push(type);
    }
  }
  return loaded;
}

function isTargetType(value: unknown): value is TargetType {
  if (typeof value !== "object" || value === null) return false;
  const type = value as Partial<Record<keyof TargetType, unknown>>;
  return (
    typeof type.name === "string" &&
    typeof type.apiVersion === "number" &&
    typeof type.create === "function"
  );
}
