import { STRING_BYTES_MAX } from "./wire.ts";

/** Why an option cannot be read. */
export const BadOption = { Incomplete: 0, TooLong: 1, NotText: 2 } as const;
export type BadOption = (typeof BadOption)[keyof typeof BadOption];

export const BAD_OPTION_TEXTS: Readonly<Record<BadOption, string>> = {
  [BadOption.Incomplete]: "the option is not as long as it says",
  [BadOption.TooLong]: `a text is at most ${String(STRING_BYTES_MAX)} bytes long`,
  [BadOption.NotText]: "a text is not UTF-8 without NUL",
};

/** Reads the data of an option from its beginning; every length in it may be a lie. */
export class OptionData {
  readonly #bytes: Buffer;
  #at = 0;
  /** The first thing that is wrong; what is read from then on means nothing. */
  bad: BadOption | null = null;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get leftBytes(): number {
    return this.#bytes.length - this.#at;
  }

  uint16(): number {
    if (!this.#has(2)) return 0;
    this.#at += 2;
    return this.#bytes.readUInt16BE(this.#at - 2);
  }

  uint32(): number {
    if (!this.#has(4)) return 0;
    this.#at += 4;
    return this.#bytes.readUInt32BE(this.#at - 4);
  }

  /** A text behind its length. */
  text(): string {
    const bytes = this.uint32();
    if (!this.#has(bytes)) return "";
    if (bytes > STRING_BYTES_MAX) return this.#fail(BadOption.TooLong);
    const text = decodeText(this.#bytes.subarray(this.#at, this.#at + bytes));
    this.#at += bytes;
    return text ?? this.#fail(BadOption.NotText);
  }

  /** Nothing may follow. */
  end(): void {
    if (this.leftBytes > 0) this.#fail(BadOption.Incomplete);
  }

  #has(bytes: number): boolean {
    if (this.bad === null && bytes <= this.leftBytes) return true;
    this.#fail(BadOption.Incomplete);
    return false;
  }

  #fail(bad: BadOption): string {
    this.bad ??= bad;
    return "";
  }
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Null: these bytes are no text, or too many. */
export function decodeText(bytes: Buffer): string | null {
  if (bytes.length > STRING_BYTES_MAX || bytes.includes(0)) return null;
  try {
    return UTF8.decode(bytes);
  } catch {
    return null;
  }
}
