import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import { suggestion } from "./nearest.ts";
import { STACK_SCHEMA } from "./schema.ts";
import type { StackError } from "./stack-error.ts";
import { errorAt, errorAtName, type Position, type StackSource } from "./stack-source.ts";

let compiled: ValidateFunction | undefined;

/** Throws a StackError for the first place, in the order of the file, that the schema refuses. */
export function checkShape(value: unknown, source: StackSource): void {
  compiled ??= new Ajv({
    allErrors: true,
    verbose: true,
    allowUnionTypes: true,
    strictRequired: false,
  }).compile(STACK_SCHEMA);
  if (compiled(value)) return;
  const errors = compiled.errors ?? [];
  const misspelt = new Set(
    errors.filter(({ keyword }) => keyword === "additionalProperties").map(placeOf),
  );
  const [first] = errors
    .filter(({ schemaPath }) => !/\/oneOf\/\d|\/not\//.test(schemaPath))
    // What a misspelt key leaves missing is no news.
    .filter((error) => !misspelt.has(placeOf(error)) || error.keyword === "additionalProperties")
    .map((error) => complaintOf(error, source))
    .sort((one, other) => order(one.at) - order(other.at));
  if (first !== undefined) throw first;
}

/** Of two places in a text the earlier has the smaller number. */
function order(at: Position | undefined): number {
  return at === undefined ? 0 : at.line * 2 ** 32 + at.column;
}

function placeOf(error: ErrorObject): string {
  return error.instancePath;
}

function complaintOf(error: ErrorObject, source: StackSource): StackError {
  const path = error.instancePath
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  const params = error.params as Record<string, unknown>;
  const schema = error.parentSchema as { description: string; properties?: object };
  const place = path.length === 0 ? "the stack file" : path.join(".");
  switch (error.keyword) {
    case "additionalProperties": {
      const key = String(params["additionalProperty"]);
      const known = Object.keys(schema.properties ?? {});
      const hint = suggestion(key, known) || `; known are ${known.join(", ")}`;
      const message = `unknown key ${JSON.stringify(key)} in ${place}${hint}`;
      return errorAtName(source, [...path, key], message);
    }
    case "required": {
      const missing = JSON.stringify(params["missingProperty"]);
      const message = `${place} lacks the key ${missing}; it should be ${schema.description}`;
      return errorAt(source, path, message);
    }
    default: {
      const message = `${place} is ${shown(error.data)}; it should be ${schema.description}`;
      return errorAt(source, path, message);
    }
  }
}

/** A value in few words. */
function shown(value: unknown): string {
  if (value === null || value === undefined) return "empty";
  if (Array.isArray(value)) return "a list";
  const text = JSON.stringify(value);
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`;
}
