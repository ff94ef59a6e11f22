import type { Bytes } from "@blkstack/bio";

const NO_BYTES = Buffer.alloc(0);
const NO_VIEW = new DataView(NO_BYTES.buffer);

/** What a client sent and nobody has taken yet. It is read where it lies; only what must wait is copied. */
export class FedBytes {
  #bytes: Buffer = NO_BYTES;
  #at = 0;
  #end = 0;
  /** A header that came in pieces. */
  readonly #pieces: Buffer;
  #piecesFilled = 0;
  /** Where the header lies that was taken last, until more is fed. */
  header: DataView = NO_VIEW;
  headerAt = 0;
  /** Of the memory that headers were in last: it mostly is the same again. */
  #view: DataView = NO_VIEW;
  readonly #piecesView: DataView;

  constructor(headerBytes: Bytes) {
    this.#pieces = Buffer.alloc(headerBytes);
    this.#piecesView = new DataView(this.#pieces.buffer, this.#pieces.byteOffset, headerBytes);
  }

  get isEmpty(): boolean {
    return this.#at >= this.#end;
  }

  /** To be followed by `keep` before the caller reuses `bytes`. */
  feed(bytes: Buffer, end: number): void {
    this.#bytes = bytes;
    this.#at = 0;
    this.#end = end;
  }

  /** Copies what is left. */
  keep(): void {
    if (this.isEmpty) {
      this.drop();
      return;
    }
    this.#bytes = Buffer.from(this.#bytes.subarray(this.#at, this.#end));
    this.#end -= this.#at;
    this.#at = 0;
  }

  drop(): void {
    this.#bytes = NO_BYTES;
    this.#at = 0;
    this.#end = 0;
  }

  /** Finds the next header. Answers false when it is not all here. */
  takeHeader(): boolean {
    const headerBytes = this.#pieces.length;
    const available = this.#end - this.#at;
    if (this.#piecesFilled === 0 && available >= headerBytes) {
      const { buffer, byteOffset } = this.#bytes;
      if (this.#view.buffer !== buffer) this.#view = new DataView(buffer);
      this.header = this.#view;
      this.headerAt = byteOffset + this.#at;
      this.#at += headerBytes;
      return true;
    }
    const wanted = Math.min(available, headerBytes - this.#piecesFilled);
    this.#piecesFilled += this.copyInto(this.#pieces, this.#piecesFilled, wanted);
    if (this.#piecesFilled < headerBytes) return false;
    this.#piecesFilled = 0;
    this.header = this.#piecesView;
    this.headerAt = 0;
    return true;
  }

  /** Takes up to `bytesMax`, to lie at `at`; answers how many there were. */
  copyInto(into: Uint8Array, at: number, bytesMax: Bytes): Bytes {
    const taken = Math.min(bytesMax, this.#end - this.#at);
    if (taken > 0) into.set(this.#bytes.subarray(this.#at, this.#at + taken), at);
    this.#at += taken;
    return taken;
  }

  /** Forgets up to `bytesMax`; answers how many there were. */
  skip(bytesMax: Bytes): Bytes {
    const skipped = Math.min(bytesMax, this.#end - this.#at);
    this.#at += skipped;
    return skipped;
  }
}
