import type { BlockError, TargetContext } from "@blkstack/block";
import { type ByteCorruption, CHANCES, type Features, noFeatures } from "./features.ts";

const UINT32_MAX = 0xffff_ffff;
const BYTE_MAX = 255;

/**
 * Parses `COUNT FEATURE…`, from the argument at `from` on; may be missing altogether. Throws what
 * `context.error` makes.
 */
export function parseFeatures(context: TargetContext, from: number): Features {
  const [countText, ...words] = context.args.slice(from);
  if (countText === undefined) return noFeatures();
  if (parseCount(countText, 0, UINT32_MAX) !== words.length) {
    const detail = `${String(words.length)} words follow "${countText}"`;
    throw context.error("Invalid number of feature args", "EINVAL", detail);
  }
  const features = new FeatureParser(context, words).parse();
  const [one, other] = quarrel(features) ?? [];
  if (one !== undefined) throw context.error(`${one} is incompatible with ${other ?? ""}`);
  return features;
}

/** An unsigned decimal number within bounds, or null. */
export function parseCount(text: string, min: number, max: number): number | null {
  const count = /^\d+$/.test(text) ? Number(text) : -1;
  return count >= min && count <= max ? count : null;
}

class FeatureParser {
  readonly #context: TargetContext;
  readonly #words: string[];
  readonly #features = noFeatures();
  readonly #named = new Set<string>();

  constructor(context: TargetContext, words: readonly string[]) {
    this.#context = context;
    this.#words = [...words];
  }

  parse(): Features {
    for (let name = this.#words.shift(); name !== undefined; name = this.#words.shift()) {
      if (this.#named.has(name)) throw this.#error(`Feature ${name} duplicated`);
      this.#named.add(name);
      this.#parse(name);
    }
    return this.#features;
  }

  #parse(name: string): void {
    const features = this.#features;
    if (name === "drop_writes") {
      this.#refuseBeside(name, "error_writes");
      features.dropWrites = true;
    } else if (name === "error_writes") {
      this.#refuseBeside(name, "drop_writes");
      features.errorWrites = true;
    } else if (name === "error_reads") features.errorReads = true;
    else if (name === "corrupt_bio_byte") features.corruption = this.#corruption();
    else if (name === "random_read_corrupt") features.randomReads = this.#chance();
    else if (name === "random_write_corrupt") features.randomWrites = this.#chance();
    else throw this.#error("Unrecognised flakey feature requested", `"${name}"`);
  }

  #refuseBeside(name: string, other: string): void {
    if (!this.#named.has(other)) return;
    throw this.#error(`Feature ${name} conflicts with feature ${other}`);
  }

  #corruption(): ByteCorruption {
    if (this.#words.length === 0) throw this.#error("Feature corrupt_bio_byte requires parameters");
    const byteNumber = this.#number(1, UINT32_MAX, "Invalid corrupt bio byte");
    const direction = this.#words.shift() ?? "";
    if (direction !== "r" && direction !== "w") {
      throw this.#error("Invalid corrupt bio direction (r or w)", `"${direction}"`);
    }
    const complaint = "Invalid corrupt value to write into bio byte (0-255)";
    const value = this.#number(0, BYTE_MAX, complaint);
    const flagMask = this.#number(0, UINT32_MAX, "Invalid corrupt bio flags mask");
    return { byteNumber, ofWrites: direction === "w", value, flagMask };
  }

  #chance(): number {
    return this.#number(0, CHANCES, "Invalid random corrupt argument");
  }

  #number(min: number, max: number, complaint: string): number {
    const text = this.#words.shift() ?? "";
    const number = parseCount(text, min, max);
    if (number === null) throw this.#error(complaint, `"${text}"`);
    return number;
  }

  #error(message: string, detail = ""): BlockError {
    return this.#context.error(message, "EINVAL", detail);
  }
}

/** Two of the features that cannot both be: what does not get through cannot be changed either. */
function quarrel(features: Features): [string, string] | null {
  const { corruption, dropWrites, errorWrites, errorReads } = features;
  const writeStopper = dropWrites ? "drop_writes" : errorWrites ? "error_writes" : null;
  if (writeStopper !== null) {
    if (corruption?.ofWrites === true) {
      return [writeStopper, "corrupt_bio_byte with the WRITE flag set"];
    }
    if (features.randomWrites !== null) return [writeStopper, "random_write_corrupt"];
  }
  if (!errorReads) return null;
  if (corruption?.ofWrites === false)
    return ["error_reads", "corrupt_bio_byte with the READ flag set"];
  return features.randomReads === null ? null : ["error_reads", "random_read_corrupt"];
}
