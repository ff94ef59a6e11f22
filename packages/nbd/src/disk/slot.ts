import type { Bio, Bytes } from "@blkstack/bio";
import type { RequestFields } from "../client-request.ts";
import { EXTENDED_HEADER_BYTES, REQUEST_BYTES } from "../wire.ts";
import { Coverage } from "./coverage.ts";
import type { Link } from "./link.ts";

/** What a bio is made of, in this order; a server does one after the other. */
export const Step = { FlushBefore: 0, Data: 1, FlushBehind: 2 } as const;
export type Step = (typeof Step)[keyof typeof Step];

/** The place of one bio among those with the server, and its request of now. Used again and again. */
export class Slot implements RequestFields {
  readonly index: number;
  /** The header of the request, as it travels: of the one kind and of the other. */
  readonly extendedHead: Buffer = Buffer.alloc(EXTENDED_HEADER_BYTES);
  readonly compactHead: Buffer = this.extendedHead.subarray(0, REQUEST_BYTES);
  /** Of a reply in chunks to a READ. */
  readonly coverage: Coverage = new Coverage();
  bio: Bio | null = null;
  step: Step = Step.Data;
  /** The connection that the request was sent on; null: it is to be sent. */
  link: Link | null = null;
  /** No two requests of one disk have the same: the index is what is left after division. */
  cookie: number;
  command = 0;
  flags = 0;
  offsetBytes: Bytes = 0;
  lengthBytes: Bytes = 0;
  /** The first error of the reply. */
  errno = 0;
  /** How many writes had been answered when this flush was sent. */
  answeredWrites = 0;
  /** How many connections were lost while the bio was with the server. */
  losses = 0;

  constructor(index: number) {
    this.index = index;
    this.cookie = index;
  }
}
