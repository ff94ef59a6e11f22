import type { Bytes } from "@blkstack/bio";

/** Memory that replies are laid out in, as bytes and for numbers. */
export class ReplyBuffer {
  readonly bytes: Buffer;
  readonly view: DataView;

  constructor(lengthBytes: Bytes) {
    this.bytes = Buffer.allocUnsafeSlow(lengthBytes);
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, lengthBytes);
  }
}
