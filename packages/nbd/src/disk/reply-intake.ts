import type { Bytes } from "@blkstack/bio";
import { protocolError } from "../client-error.ts";
import {
  Chunk,
  Command,
  EXTENDED_CHUNK_MAGIC,
  EXTENDED_HEADER_BYTES,
  readUint64,
  SIMPLE_REPLY_BYTES,
  SIMPLE_REPLY_MAGIC,
  STRING_BYTES_MAX,
} from "../wire.ts";
import { fillBio, memoryAt, zeroBio } from "./bio-memory.ts";
import type { Slot } from "./slot.ts";

const OFFSET_BYTES = 8;
const HOLE_BYTES = OFFSET_BYTES + 4;
const ERROR_BYTES = 4 + 2;
/** An error, its text, and whatever else a kind of error may tell. */
const ERROR_BODY_BYTES_MAX = ERROR_BYTES + STRING_BYTES_MAX + 64;
const ERROR_BIT = 0x8000;

/** Whose replies they are. */
export interface ReplyTaker {
  /** The request of a cookie; null: there is none under way here. */
  slotOf(cookie: number): Slot | null;
  /** A reply is whole; `errno` is 0 when all went well. */
  answered(slot: Slot, errno: number): void;
}

/** What the bytes are that are collected. */
const Part = { Head: 0, DataOffset: 1, Hole: 2, Error: 3 } as const;
type Part = (typeof Part)[keyof typeof Part];

/**
 * Takes replies as they come, in pieces of any length, and puts data where it belongs: into the memory
 * of the bios. Every length, offset and order in them may be a lie.
 */
export class ReplyIntake {
  readonly #taker: ReplyTaker;
  readonly #isExtended: boolean;
  readonly #headBytes: Bytes;
  /** What is looked at when it is whole. */
  readonly #collected: Buffer = Buffer.alloc(ERROR_BODY_BYTES_MAX);
  #part: Part = Part.Head;
  #have: Bytes = 0;
  #need: Bytes;
  /** Of the reply, or of the chunk, that is coming. */
  #slot: Slot | null = null;
  #isLast = true;
  #bodyBytes: Bytes = 0;
  /** Where in the bio the next byte of data belongs, and how many come. */
  #dataAt: Bytes = 0;
  #dataLeft: Bytes = 0;

  constructor(taker: ReplyTaker, isExtended: boolean) {
    this.#taker = taker;
    this.#isExtended = isExtended;
    this.#headBytes = isExtended ? EXTENDED_HEADER_BYTES : SIMPLE_REPLY_BYTES;
    this.#need = this.#headBytes;
  }

  /** Throws NbdError `NBD_PROTOCOL`; then no more is to be taken. */
  take(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#dataLeft > 0) {
        const count = Math.min(this.#dataLeft, chunk.length - at);
        const bio = this.#slot?.bio ?? null;
        if (bio !== null) fillBio(bio, this.#dataAt, chunk.subarray(at, at + count));
        at += count;
        this.#dataAt += count;
        this.#dataLeft -= count;
        if (this.#dataLeft === 0) this.#endChunk();
      } else {
        const count = Math.min(this.#need - this.#have, chunk.length - at);
        chunk.copy(this.#collected, this.#have, at, at + count);
        at += count;
        this.#have += count;
        if (this.#have === this.#need) this.#takePart();
      }
    }
  }

  /** Where to receive what is missing of long data, to be told by `arrived`; null: use `take`. */
  directBuffer(bytesMin: Bytes): Uint8Array | null {
    const bio = this.#slot?.bio ?? null;
    if (this.#dataLeft < bytesMin || bio === null) return null;
    const memory = memoryAt(bio, this.#dataAt, this.#dataLeft);
    return memory.length < bytesMin ? null : memory;
  }

  /** So many bytes lie in the `directBuffer` that was last answered. */
  arrived(bytes: Bytes): void {
    this.#dataAt += bytes;
    this.#dataLeft -= bytes;
    if (this.#dataLeft === 0) this.#endChunk();
  }

  #takePart(): void {
    this.#have = 0;
    const slot = this.#slot;
    if (this.#part === Part.Head || slot === null) {
      if (this.#isExtended) this.#takeChunkHead();
      else this.#takeSimpleHead();
    } else if (this.#part === Part.DataOffset) {
      this.#claim(slot, this.#bodyBytes - OFFSET_BYTES);
      this.#dataLeft = this.#bodyBytes - OFFSET_BYTES;
    } else if (this.#part === Part.Hole) {
      const lengthBytes = this.#collected.readUInt32BE(OFFSET_BYTES);
      this.#claim(slot, lengthBytes);
      if (slot.bio !== null) zeroBio(slot.bio, this.#dataAt, lengthBytes);
      this.#endChunk();
    } else {
      this.#takeError(slot);
      this.#endChunk();
    }
  }

  #takeSimpleHead(): void {
    const head = this.#collected;
    if (head.readUInt32BE(0) !== SIMPLE_REPLY_MAGIC) throw protocolError("a reply without magic");
    const slot = this.#slotOf(readUint64(head, 8));
    slot.errno = head.readUInt32BE(4);
    this.#isLast = true;
    if (slot.errno === 0 && slot.command === Command.Read) {
      slot.coverage.claim(0, slot.lengthBytes);
      this.#dataAt = 0;
      this.#dataLeft = slot.lengthBytes;
    } else this.#endChunk();
  }

  #takeChunkHead(): void {
    const head = this.#collected;
    if (head.readUInt32BE(0) !== EXTENDED_CHUNK_MAGIC) throw protocolError("a chunk without magic");
    const slot = this.#slotOf(readUint64(head, 8));
    if (readUint64(head, 16) !== slot.offsetBytes) throw protocolError("a chunk of elsewhere");
    this.#isLast = head.readUInt16BE(4) === 1;
    const type = head.readUInt16BE(6);
    const bodyBytes = readUint64(head, 24);
    this.#bodyBytes = bodyBytes;
    if ((type & ERROR_BIT) !== 0) {
      if (bodyBytes < ERROR_BYTES || bodyBytes > ERROR_BODY_BYTES_MAX) {
        throw protocolError(`an error of ${String(bodyBytes)} bytes`);
      }
      this.#expect(Part.Error, bodyBytes);
    } else if (type === Chunk.OffsetData && slot.command === Command.Read) {
      if (bodyBytes <= OFFSET_BYTES) throw protocolError("too little data");
      this.#expect(Part.DataOffset, OFFSET_BYTES);
    } else if (type === Chunk.OffsetHole && slot.command === Command.Read) {
      if (bodyBytes !== HOLE_BYTES) throw protocolError("a hole of too many or few bytes");
      this.#expect(Part.Hole, HOLE_BYTES);
    } else if (type === Chunk.None && bodyBytes === 0) this.#endChunk();
    else throw protocolError("an odd chunk");
  }

  #takeError(slot: Slot): void {
    const errno = this.#collected.readUInt32BE(0);
    if (ERROR_BYTES + this.#collected.readUInt16BE(4) > this.#bodyBytes) {
      throw protocolError("an error longer than its chunk");
    }
    if (errno === 0) throw protocolError("an error that is none");
    if (slot.errno === 0) slot.errno = errno;
  }

  /** Marks a part of the data as told; its offset was collected. */
  #claim(slot: Slot, lengthBytes: Bytes): void {
    const begin = readUint64(this.#collected, 0) - slot.offsetBytes;
    const end = begin + lengthBytes;
    if (begin < 0 || lengthBytes === 0 || end > slot.lengthBytes) {
      throw protocolError("data that was not asked for");
    }
    if (!slot.coverage.claim(begin, end)) throw protocolError("the same data twice");
    this.#dataAt = begin;
  }

  #slotOf(cookie: number): Slot {
    const slot = this.#taker.slotOf(cookie);
    if (slot === null) throw protocolError("a reply to a request that was not made");
    this.#slot = slot;
    return slot;
  }

  #expect(part: Part, bytes: Bytes): void {
    this.#part = part;
    this.#need = bytes;
  }

  #endChunk(): void {
    const slot = this.#slot;
    this.#slot = null;
    this.#expect(Part.Head, this.#headBytes);
    if (slot === null || !this.#isLast) return;
    const isRead = slot.command === Command.Read;
    if (isRead && slot.errno === 0 && slot.coverage.bytes < slot.lengthBytes) {
      throw protocolError("a read that was answered in part");
    }
    this.#taker.answered(slot, slot.errno);
  }
}
