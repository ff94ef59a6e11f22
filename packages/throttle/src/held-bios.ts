import { type Bio, invariant } from "@blkstack/bio";
import type { IoGroup } from "@blkstack/io-group";

/** A bio that waits, since when, and in whose name. */
export interface HeldBio {
  readonly bio: Bio;
  /** Whose bio it is; it may wait at a group above. */
  readonly group: IoGroup;
  /** Through which it came. */
  readonly port: object;
  readonly sinceMs: number;
}

/** The bios of one source, in the order in which they came. */
interface Source {
  readonly key: object;
  readonly held: HeldBio[];
}

/**
 * Bios that wait at a group in one direction: in order for each source, and the sources in turn, so
 * that one of them with many bios does not keep the others waiting.
 */
export class HeldBios {
  /** Made for the first bio: most groups never have any that wait. */
  #sources: Map<object, Source> | null = null;
  /** The next one first. */
  #turns: Source[] = [];
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** The bio whose turn it is. */
  get first(): HeldBio | undefined {
    return this.#turns[0]?.held[0];
  }

  push(held: HeldBio, key: object): void {
    this.#sources ??= new Map();
    let source = this.#sources.get(key);
    if (source === undefined) {
      source = { key, held: [] };
      this.#sources.set(key, source);
      this.#turns.push(source);
    }
    source.held.push(held);
    this.#count += 1;
  }

  /** Takes the bio whose turn it is. */
  shift(): HeldBio {
    const source = this.#turns.shift();
    const held = source?.held.shift();
    invariant(source !== undefined && held !== undefined, "no bio waits");
    this.#count -= 1;
    if (source.held.length > 0) this.#turns.push(source);
    else this.#sources?.delete(source.key);
    return held;
  }

  /** Takes all that came through a port, in the order in which they would have gone. */
  takeOf(port: object): HeldBio[] {
    const taken: HeldBio[] = [];
    const others: [HeldBio, object][] = [];
    while (this.#count > 0) {
      const key = this.#turns[0]?.key ?? this;
      const held = this.shift();
      if (held.port === port) taken.push(held);
      else others.push([held, key]);
    }
    for (const [held, key] of others) this.push(held, key);
    return taken;
  }
}
