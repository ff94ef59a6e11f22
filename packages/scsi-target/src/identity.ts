/** What a disk says of itself to whoever asks. Longer texts are cut. */
export interface ScsiIdentity {
  /** 8 characters; `blkstack` unless told. */
  readonly vendor?: string;
  /** 16 characters; the name of the device unless told. */
  readonly product?: string;
  /** 4 characters; `1.0` unless told. */
  readonly revision?: string;
  /** 20 characters; the name of the device unless told. */
  readonly serial?: string;
}

/** Texts of fixed length, filled up with spaces; what is not printable ASCII becomes a space. */
export function ascii(text: string, length: number): Uint8Array {
  const bytes = new Uint8Array(length).fill(0x20);
  for (let at = 0; at < Math.min(text.length, length); at += 1) {
    const code = text.charCodeAt(at);
    if (code > 0x20 && code < 0x7f) bytes[at] = code;
  }
  return bytes;
}
