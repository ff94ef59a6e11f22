import { assertApiVersion, BlockError, type TargetType } from "@blkstack/block";

/** The kinds of targets that tables may name. Case matters. */
export class TargetRegistry {
  readonly #types = new Map<string, TargetType>();

  constructor(types: Iterable<TargetType> = []) {
    for (const type of types) this.register(type);
  }

  /**
   * Lets tables name this kind of target.
   *
   * Throws BLK_API_VERSION when it was written for another contract, EEXIST for a second one of
   * that name.
   */
  register(type: TargetType): void {
    assertApiVersion(type);
    if (this.#types.has(type.name)) {
      const message = `there already is a target type "${type.name}"`;
      throw new BlockError("BLK_STATE", "EEXIST", message);
    }
    this.#types.set(type.name, type);
  }

  get(name: string): TargetType | undefined {
    return this.#types.get(name);
  }

  /** The names and versions, in order of registration: `linear 1.4.0`. */
  get versions(): string[] {
    return [...this.#types.values()].map(({ name, version }) => `${name} ${version.join(".")}`);
  }
}
