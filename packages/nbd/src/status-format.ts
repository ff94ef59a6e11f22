import type { StatusReply } from "./block-status.ts";
import { extendedHead, structuredHead } from "./chunk-head.ts";
import { Dialect } from "./dialect.ts";
import { ReplyBuffer } from "./reply-buffer.ts";
import type { Request } from "./request.ts";
import { Chunk, CHUNK_DONE, writeUint64 } from "./wire.ts";

/** A BLOCK_STATUS answered by all of its contexts, laid out whole: one chunk for each. */
export function layOutStatus(
  request: Request,
  replies: readonly StatusReply[],
  dialect: Dialect,
): Buffer {
  const isExtended = dialect === Dialect.Extended;
  const head = isExtended ? extendedHead : structuredHead;
  const type = isExtended ? Chunk.ExtendedBlockStatus : Chunk.BlockStatus;
  const chunks = replies.map((reply, index) => {
    const body = isExtended ? extendedBody(reply) : compactBody(reply);
    const chunk = new ReplyBuffer(head.bytes + body.length);
    const done = index === replies.length - 1 ? CHUNK_DONE : 0;
    const bodyAt = head.write(chunk, 0, request, type | done);
    head.setBodyBytes(chunk, bodyAt, body.length);
    chunk.bytes.set(body, bodyAt);
    return chunk.bytes;
  });
  return Buffer.concat(chunks);
}

/** The context, then a length and a status of 32 bits for each extent. */
function compactBody({ context, lengths, statuses }: StatusReply): Buffer {
  const body = Buffer.alloc(4 + 8 * lengths.length);
  let at = body.writeUInt32BE(context.id, 0);
  for (const [extent, length] of lengths.entries()) {
    at = body.writeUInt32BE(length, at);
    at = body.writeUInt32BE(statuses[extent] ?? 0, at);
  }
  return body;
}

/** The context and the count of extents, then a length and a status of 64 bits for each. */
function extendedBody({ context, lengths, statuses }: StatusReply): Buffer {
  const body = Buffer.alloc(8 + 16 * lengths.length);
  body.writeUInt32BE(context.id, 0);
  body.writeUInt32BE(lengths.length, 4);
  for (const [extent, length] of lengths.entries()) {
    writeUint64(body, 8 + 16 * extent, length);
    writeUint64(body, 16 + 16 * extent, statuses[extent] ?? 0);
  }
  return body;
}
