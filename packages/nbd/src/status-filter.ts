import type { Bytes } from "@blkstack/bio";
import type { MetaContext } from "./meta-context.ts";
import { readUint64 } from "./wire.ts";

const LENGTH_BYTES = 8;
const ID_BYTES = 4;

/** The longest payload of a BLOCK_STATUS that can be right: each of the chosen contexts once. */
export function filterBytesMax(contextCount: number): Bytes {
  return LENGTH_BYTES + ID_BYTES * contextCount;
}

/** Whether a payload is a length and some contexts, going by its size alone. */
export function isFilter(payloadBytes: Bytes, contextCount: number): boolean {
  if (payloadBytes > filterBytesMax(contextCount)) return false;
  return payloadBytes > LENGTH_BYTES && payloadBytes % ID_BYTES === 0;
}

/** What the payload of a BLOCK_STATUS asks for. */
export interface StatusFilter {
  readonly lengthBytes: Bytes;
  readonly contexts: readonly MetaContext[];
}

/** Null: a context is there twice, or was not chosen. */
export function readFilter(bytes: Buffer, chosen: readonly MetaContext[]): StatusFilter | null {
  const contexts: MetaContext[] = [];
  for (let at = LENGTH_BYTES; at < bytes.length; at += ID_BYTES) {
    const id = bytes.readUInt32BE(at);
    const context = chosen.find((each) => each.id === id);
    if (context === undefined || contexts.includes(context)) return null;
    contexts.push(context);
  }
  return { lengthBytes: readUint64(bytes, 0), contexts };
}
