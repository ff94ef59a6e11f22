/** Numbers in a CDB or in parameters, which have their highest byte first. */
export class Fields {
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get length(): number {
    return this.bytes.length;
  }

  byte(at: number): number {
    return this.#view.getUint8(at);
  }

  /** Whether any bit of `mask` is set in a byte. */
  has(at: number, mask: number): boolean {
    return (this.byte(at) & mask) !== 0;
  }

  uint16(at: number): number {
    return this.#view.getUint16(at);
  }

  uint32(at: number): number {
    return this.#view.getUint32(at);
  }

  /** Not exact above 2^53, where it is beyond the end of every device. */
  uint64(at: number): number {
    return this.uint32(at) * 2 ** 32 + this.uint32(at + 4);
  }
}
