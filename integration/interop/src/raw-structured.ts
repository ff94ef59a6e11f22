import type { RawClient } from "./raw-client.ts";
import { agree, bytes32, goData, greet, option, Option } from "./raw-protocol.ts";

/** The kinds of chunks; errors have the highest bit set. */
export const ChunkType = { None: 0, OffsetData: 1, OffsetHole: 2, BlockStatus: 5 } as const;
export const CHUNK_ERROR: number = 1 << 15;

const CHUNK_MAGIC = 0x668e_33ef;
const DONE = 1;

export interface Chunk {
  readonly type: number;
  readonly cookie: number;
  readonly data: Buffer;
}

/** A run of bytes of one kind, as BLOCK_STATUS tells it. */
export interface Extent {
  readonly length: number;
  readonly flags: number;
}

/** The data of LIST_META_CONTEXT and SET_META_CONTEXT. */
export function metaContextData(name: string, queries: readonly string[]): Buffer {
  const strings = [name, ...queries].map((text) => {
    return Buffer.concat([bytes32(Buffer.byteLength(text)), Buffer.from(text)]);
  });
  const [first = Buffer.alloc(0), ...others] = strings;
  return Buffer.concat([first, bytes32(queries.length), ...others]);
}

/** Connects, agrees on structured replies and these contexts, and chooses an export. */
export async function chooseStructured(
  path: string,
  name: string,
  contexts: readonly string[] = [],
): Promise<RawClient> {
  const client = await greet(path);
  await agree(client, option(Option.StructuredReply));
  if (contexts.length > 0) {
    await agree(client, option(Option.SetMetaContext, metaContextData(name, contexts)));
  }
  await agree(client, option(Option.Go, goData(name)));
  return client;
}

/** Reads the chunks of one reply, with the last. */
export async function readChunks(client: RawClient): Promise<Chunk[]> {
  const chunks: Chunk[] = [];
  for (;;) {
    const head = await client.read(20);
    if (head.readUInt32BE() !== CHUNK_MAGIC) throw new Error("no structured reply");
    const data = Buffer.from(await client.read(head.readUInt32BE(16)));
    chunks.push({
      type: head.readUInt16BE(6),
      cookie: Number(head.readBigUInt64BE(8)),
      data,
    });
    if ((head.readUInt16BE(4) & DONE) !== 0) return chunks;
  }
}

/** The error that a reply ends with, or 0. */
export function errnoOf(chunks: readonly Chunk[]): number {
  const wrong = chunks.find(({ type }) => (type & CHUNK_ERROR) !== 0);
  return wrong?.data.readUInt32BE() ?? 0;
}

/** What a reply of BLOCK_STATUS tells of its one context. */
export function extentsOf(chunks: readonly Chunk[]): Extent[] {
  const told = chunks.filter(({ type }) => type === ChunkType.BlockStatus);
  const [only] = told;
  if (only === undefined || told.length > 1) {
    throw new Error(`${String(told.length)} chunks of status, error ${String(errnoOf(chunks))}`);
  }
  const extents: Extent[] = [];
  for (let at = 4; at < only.data.length; at += 8) {
    extents.push({ length: only.data.readUInt32BE(at), flags: only.data.readUInt32BE(at + 4) });
  }
  return extents;
}
