import { BlockError } from "@blkstack/block";

/** What a request on the control socket says, field by field. Whatever is wrong with it is EINVAL. */
export class Fields {
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(values: object) {
    this.#values = Object.fromEntries(Object.entries(values));
  }

  /** Reads one line. */
  static parse(line: string): Fields {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      throw refusal("the request is no JSON");
    }
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return new Fields(value);
    }
    throw refusal("the request is no JSON object");
  }

  text(key: string): string {
    const value = this.#get(key);
    if (typeof value === "string") return value;
    throw refusal(`${key} should be a text`);
  }

  optionalText(key: string): string | undefined {
    return this.#get(key) === undefined ? undefined : this.text(key);
  }

  /** False when it is not there. */
  flag(key: string): boolean {
    const value = this.#get(key) ?? false;
    if (typeof value === "boolean") return value;
    throw refusal(`${key} should be true or false`);
  }

  count(key: string): number {
    const value = this.#get(key);
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
    throw refusal(`${key} should be a whole number`);
  }

  texts(key: string): string[] {
    const value = this.#get(key);
    if (Array.isArray(value)) {
      const texts = value.filter((each): each is string => typeof each === "string");
      if (texts.length === value.length) return texts;
    }
    throw refusal(`${key} should be a list of texts`);
  }

  /** A field that nobody knows would else be one that somebody relies on in vain. */
  allowOnly(known: readonly string[]): void {
    const unknown = Object.keys(this.#values).find((key) => !known.includes(key));
    if (unknown !== undefined) throw refusal(`unknown field ${JSON.stringify(unknown)}`);
  }

  #get(key: string): unknown {
    return Object.hasOwn(this.#values, key) ? this.#values[key] : undefined;
  }
}

export function refusal(message: string): BlockError {
  return new BlockError("BLK_STATE", "EINVAL", message);
}
