import { equal, ok } from "node:assert/strict";
import type { RawClient } from "../raw-client.ts";
import {
  ask,
  Command,
  Errno,
  greet,
  option,
  Option,
  type Request,
  request,
} from "../raw-protocol.ts";
import {
  type Chunk,
  CHUNK_ERROR,
  ChunkType,
  errnoOf,
  extentsOf,
  readChunks,
} from "../raw-structured.ts";
import type { Row } from "./row.ts";
import { SIZE_BYTES } from "./target.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const FLAG_DF = 1 << 2;
const FLAG_REQ_ONE = 1 << 3;
const CAN_DF = 1 << 7;
const CONTEXTS = ["base:allocation"];
const { Read, Write, WriteZeroes, BlockStatus } = Command;

/** Sends a request and reads all of its reply, each chunk of which has the cookie of the request. */
async function askStructured(client: RawClient, of: Request): Promise<Chunk[]> {
  client.send(request({ cookie: 11, ...of }));
  const chunks = await readChunks(client);
  for (const { cookie } of chunks) equal(cookie, 11);
  return chunks;
}

/** Puts the content chunks of a read together; throws when they do not cover it exactly once. */
function contentOf(chunks: readonly Chunk[], offset: number, length: number): Buffer {
  const content = Buffer.alloc(length);
  const pieces = chunks
    .filter(({ type }) => type === ChunkType.OffsetData || type === ChunkType.OffsetHole)
    .map(({ type, data }) => ({
      at: Number(data.readBigUInt64BE()) - offset,
      bytes: type === ChunkType.OffsetData ? data.subarray(8) : Buffer.alloc(data.readUInt32BE(8)),
    }))
    .sort((one, other) => one.at - other.at);
  let end = 0;
  for (const { at, bytes } of pieces) {
    equal(at, end, "a gap or an overlap");
    bytes.copy(content, at);
    end += bytes.length;
  }
  equal(end, length);
  return content;
}

/** A row of the status of some range of the read-only image, or of the large one. */
function statusRow(
  id: string,
  says: string,
  role: "kept" | "big",
  check: (client: RawClient) => Promise<void>,
): Row {
  return {
    id,
    says,
    check: async (target) => {
      const client = await target.openStructured(role, CONTEXTS);
      await check(client);
      const chunks = await askStructured(client, { command: Read, length: 512 });
      equal(contentOf(chunks, 0, 512).length, 512);
      client.vanish();
    },
  };
}

/** What servers make of structured replies, and tell of what is allocated. */
export const STRUCTURED_ROWS: readonly Row[] = [
  {
    id: "T14",
    says: "structured, a read past the end: a chunk of error with EINVAL",
    check: async (target) => {
      const client = await target.openStructured("disk");
      const chunks = await askStructured(client, {
        command: Read,
        offset: SIZE_BYTES - 512,
        length: 1024,
      });
      const [first] = chunks;
      ok(chunks.length === 1 && ((first?.type ?? 0) & CHUNK_ERROR) !== 0, "no chunk of error");
      equal(errnoOf(chunks), Errno.Inval);
      const text = first?.data.readUInt16BE(4) ?? NaN;
      ok((first?.data.length ?? 0) >= 6 + text, "its text is longer than itself");
      const after = await askStructured(client, { command: Read, length: 512 });
      contentOf(after, 0, 512);
      client.vanish();
    },
  },
  {
    id: "T15",
    says: "structured, a read of a hole of 1 MiB: chunks cover it exactly once",
    check: async (target) => {
      const client = await target.openStructured("kept");
      const chunks = await askStructured(client, { command: Read, offset: MIB, length: MIB });
      ok(contentOf(chunks, MIB, MIB).equals(Buffer.alloc(MIB)), "it is not zero");
      client.vanish();
    },
  },
  {
    id: "T16",
    says: "structured, a read with DF of data and a hole: one chunk of content",
    check: async (target) => {
      const [offset, length] = [8 * MIB, 64 * KIB];
      const data = Buffer.alloc(length / 2, 0x5a);
      const writer = await target.open("disk");
      equal(await ask(writer, { command: WriteZeroes, offset, length }), Errno.Ok);
      equal(await ask(writer, { command: Write, offset, length: data.length }, data), Errno.Ok);
      writer.vanish();
      const client = await target.openStructured("disk");
      const read = { command: Read, offset, length, flags: FLAG_DF };
      const chunks = await askStructured(client, read);
      equal(chunks.filter(({ type }) => type !== ChunkType.None).length, 1);
      const expected = Buffer.concat([data, Buffer.alloc(length / 2)]);
      ok(contentOf(chunks, offset, length).equals(expected), "other data");
      client.vanish();
    },
  },
  {
    id: "T17",
    says: "without structured replies: DF is not offered",
    check: async (target) => {
      const client = await greet(target.socket("disk"));
      client.send(option(Option.ExportName, Buffer.from(target.make.exportName)));
      const transmissionFlags = (await client.read(10)).readUInt16BE(8);
      equal(transmissionFlags & CAN_DF, 0);
      client.vanish();
    },
  },
  statusRow(
    "T18",
    "status of 1 MiB, one extent asked for: one, and not longer",
    "kept",
    async (client) => {
      const of = { command: BlockStatus, offset: MIB, length: MIB, flags: FLAG_REQ_ONE };
      const extents = extentsOf(await askStructured(client, of));
      equal(extents.length, 1);
      const length = extents[0]?.length ?? 0;
      ok(length > 0 && length <= MIB, `${String(length)} bytes`);
    },
  ),
  statusRow(
    "T19",
    "status of the whole device: no empty extent, none begins past the end",
    "kept",
    async (client) => {
      const of = { command: BlockStatus, length: SIZE_BYTES };
      const lengths = extentsOf(await askStructured(client, of)).map(({ length }) => length);
      ok(lengths.length > 0 && !lengths.includes(0), `extents ${lengths.join(", ")}`);
      const lastBegins = lengths.slice(0, -1).reduce((sum, length) => sum + length, 0);
      ok(lastBegins < SIZE_BYTES, `extents ${lengths.join(", ")}`);
    },
  ),
  statusRow("T20", "status past the end: EINVAL", "kept", async (client) => {
    const of = { command: BlockStatus, offset: SIZE_BYTES - 512, length: 1024 };
    equal(errnoOf(await askStructured(client, of)), Errno.Inval);
  }),
  {
    id: "T21",
    says: "status without a context: EINVAL",
    check: async (target) => {
      const structured = await target.openStructured("kept");
      const of = { command: BlockStatus, length: MIB };
      equal(errnoOf(await askStructured(structured, of)), Errno.Inval);
      structured.vanish();
      const simple = await target.open("kept");
      equal(await ask(simple, of), Errno.Inval);
      simple.vanish();
    },
  },
  statusRow(
    "T27",
    "status of 4 GiB - 1 at offsets 0, 1 and 2 of 5 GiB: no empty extent",
    "big",
    async (client) => {
      for (const offset of [0, 1, 2]) {
        const of = { command: BlockStatus, offset, length: 0xffff_ffff };
        const extents = extentsOf(await askStructured(client, of));
        ok(extents.length > 0, "no extent");
        ok(
          extents.every(({ length }) => length > 0),
          "an extent is empty",
        );
      }
    },
  ),
];
