import { Chunk, CommandFlag, Option } from "../src/wire.ts";
import {
  extendedRequest,
  metaQuery,
  option,
  type RawClient,
  type RawExtendedChunk,
  type RawRequest,
} from "./raw-client.ts";

export const EXTENDED: Buffer = option(Option.ExtendedHeaders);
/** A request that says that its length is that of a payload. */
export const PAYLOAD: number = CommandFlag.PayloadLength;
export const TIB: number = 2 ** 40;
/** The contexts that these tests choose, by number: `base:allocation`, `blkstack:layer`. */
export const ALLOCATION = 1;
export const LAYER = 2;

/** A client that has chosen extended headers, and these contexts. */
export async function connected(
  served: { connect(): RawClient },
  ...contexts: string[]
): Promise<RawClient> {
  const client = served.connect();
  const set = option(Option.SetMetaContext, metaQuery("", ...contexts));
  await client.goAfter(contexts.length === 0 ? [EXTENDED] : [EXTENDED, set]);
  return client;
}

/** Sends a request, and answers the next chunk. */
export async function ask(
  client: RawClient,
  fields: RawRequest,
  payload: Uint8Array = Buffer.alloc(0),
): Promise<RawExtendedChunk> {
  client.send(extendedRequest(fields), payload);
  return client.extendedChunk();
}

/** 0: none. */
export function errorOf({ type, body }: RawExtendedChunk): number {
  return type >= Chunk.Error ? body.readUInt32BE(0) : 0;
}
