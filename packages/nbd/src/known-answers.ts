import type { Bytes } from "@blkstack/bio";
import { type BlockDevice, ExtentInquiry } from "@blkstack/block";
import { blockStatus } from "./block-status.ts";
import { Dialect } from "./dialect.ts";
import { isKnownZero } from "./known-zero.ts";
import type { MetaContext } from "./meta-context.ts";
import type { ReplyMemory } from "./reply-memory.ts";
import type { Request } from "./request.ts";
import { layOutStatus } from "./status-format.ts";
import type { TransmissionOptions } from "./transmission-options.ts";
import { Command, CommandFlag, ReplyError } from "./wire.ts";

/** One reply tells of no more, whatever was asked: small questions must not make large answers. */
const EXTENTS_MAX = 1024;
/** Shorter reads are not worth asking the device for its holes. */
const HOLE_READ_BYTES_MIN: Bytes = 32 * 1024;

/** Answers the requests for which it is enough to know what the device knows of itself. */
export class KnownAnswers {
  readonly #device: BlockDevice;
  readonly #contexts: readonly MetaContext[];
  readonly #dialect: Dialect;
  readonly #replyMemory: ReplyMemory;
  /** Whether replies can leave holes out, and the device knows of any. */
  readonly #findsHoles: boolean;

  constructor({ backend: { device }, contexts, dialect, replyMemory }: TransmissionOptions) {
    this.#device = device;
    this.#contexts = contexts;
    this.#dialect = dialect;
    this.#replyMemory = replyMemory;
    this.#findsHoles = dialect !== Dialect.Simple && device.findExtent !== undefined;
  }

  /** Ends a request that needs no bio, which is not empty. Answers false for any other. Waits: never. */
  tryEnd(request: Request): boolean {
    const { command, flags } = request;
    if (command === Command.BlockStatus) {
      this.#tellStatus(request);
      return true;
    }
    if ((flags & CommandFlag.FastZero) !== 0) {
      request.end(this.#fastZero(request));
      return true;
    }
    if (!this.#findsHoles || !this.#isOneHole(request)) return false;
    request.end(ReplyError.Ok);
    return true;
  }

  /** Ends it now; or later, if the device has to ask others. */
  #tellStatus(request: Request): void {
    const inquiry = new ExtentInquiry();
    const contexts = request.contexts ?? this.#contexts;
    const look = (): void => {
      const extentsMax = this.#replyMemory.isShort ? 1 : EXTENTS_MAX;
      const looked = { device: this.#device, inquiry, extentsMax };
      const replies = blockStatus(request, looked, contexts);
      if (inquiry.hasQuestion) {
        void inquiry.ask().then(look);
        return;
      }
      request.laidOut = layOutStatus(request, replies, this.#dialect);
      this.#replyMemory.add(request.laidOut.length);
      request.end(ReplyError.Ok);
    };
    look();
  }

  /** Nothing is faster than to have nothing to do, and nothing else is sure to be fast. */
  #fastZero(request: Request): ReplyError {
    const asksForMore = (request.flags & (CommandFlag.NoHole | CommandFlag.Fua)) !== 0;
    if (asksForMore || !isKnownZero(request, this.#device)) return ReplyError.NotSupported;
    return ReplyError.Ok;
  }

  /** Cuts a long read where the device has holes; answers whether there is nothing but a hole. */
  #isOneHole({ command, flags, offsetBytes, lengthBytes, pieces }: Request): boolean {
    if (command !== Command.Read || lengthBytes < HOLE_READ_BYTES_MIN) return false;
    pieces.find(this.#device, offsetBytes, lengthBytes);
    if ((flags & CommandFlag.DontFragment) !== 0 && pieces.count > 1) pieces.clear();
    return pieces.isOneHole;
  }
}
