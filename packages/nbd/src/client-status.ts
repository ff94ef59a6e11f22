import type { Bytes } from "@blkstack/bio";
import type { ByteStream } from "./byte-stream.ts";
import { protocolError } from "./client-error.ts";
import { readUint64 } from "./wire.ts";

/** A part of an export of which the same is known. */
export interface AllocationExtent {
  readonly lengthBytes: Bytes;
  /** Bits: 1 takes no space, 2 reads as zeroes. */
  readonly flags: number;
}

const ID_BYTES = 4;
const COUNT_BYTES = 4;
/** Of more extents no server should tell at once: 2^20, each in two words of 64 bits. */
const BODY_BYTES_MAX = ID_BYTES + COUNT_BYTES + 16 * 2 ** 20;

/**
 * Takes the body of a chunk with extents of one context. Waits: for the server. Throws NbdError
 * `NBD_PROTOCOL` for one that is none.
 */
export async function takeExtents(
  stream: ByteStream,
  { bodyBytes, isExtended }: { readonly bodyBytes: Bytes; readonly isExtended: boolean },
  contextId: number,
): Promise<AllocationExtent[]> {
  const headBytes = isExtended ? ID_BYTES + COUNT_BYTES : ID_BYTES;
  const extentBytes = isExtended ? 16 : 8;
  const count = (bodyBytes - headBytes) / extentBytes;
  if (count < 1 || !Number.isInteger(count) || bodyBytes > BODY_BYTES_MAX) {
    throw protocolError(`extents in ${String(bodyBytes)} bytes`);
  }
  const body = await stream.take(bodyBytes);
  if (body.readUInt32BE(0) !== contextId) throw protocolError("extents of another context");
  // A server may leave the count out, and say 0.
  const told = isExtended ? body.readUInt32BE(ID_BYTES) : 0;
  if (told !== 0 && told !== count) throw protocolError("more or fewer extents than were told");
  const extents: AllocationExtent[] = [];
  for (let at = headBytes; at < bodyBytes; at += extentBytes) {
    const lengthBytes = isExtended ? readUint64(body, at) : body.readUInt32BE(at);
    const flags = isExtended ? readUint64(body, at + 8) : body.readUInt32BE(at + 4);
    if (lengthBytes === 0) throw protocolError("an extent of no bytes");
    // Bits that nobody knows are none of ours.
    extents.push({ lengthBytes, flags: flags % 4 });
  }
  return extents;
}
