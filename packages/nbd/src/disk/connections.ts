import type { Scheduler } from "@blkstack/task";
import { NbdError } from "../client-error.ts";
import { TurnEnd } from "../turn-end.ts";
import { Link, type LinkHost } from "./link.ts";
import type { Opened } from "./open-links.ts";
import { SilenceWatch } from "./silence.ts";
import type { Slot } from "./slot.ts";

/** What is received lies here until it is taken; long data go where they belong. */
const RECEIVE_BYTES = 64 * 1024;

export interface ConnectionsOptions {
  /** Of the disk, for people. */
  readonly label: string;
  readonly scheduler: Scheduler;
  readonly slots: readonly Slot[];
  /** For how long they may bring nothing while requests wait. */
  readonly answerMs: number;
  /** A request has its answer. */
  readonly answered: (slot: Slot, errno: number) => void;
  /** One is lost: `drop` them all. */
  readonly lost: (error: NbdError) => void;
  /** One brings nothing: likewise. */
  readonly silent: (error: NbdError) => void;
}

/** The connections of one disk. They are of one server, and so it is with one as with all. */
export class Connections {
  readonly #host: LinkHost;
  readonly #silence: SilenceWatch;
  #links: readonly Link[] = [];

  constructor({ label, scheduler, slots, answerMs, ...told }: ConnectionsOptions) {
    this.#host = {
      slots,
      turnEnd: new TurnEnd(),
      receiveBuffer: Buffer.allocUnsafeSlow(RECEIVE_BYTES),
      answered: told.answered,
      lost: (link, error) => {
        if (this.#links.includes(link)) told.lost(error);
      },
    };
    this.#silence = new SilenceWatch(`silence of ${label}`, scheduler, answerMs, () => {
      const message = `the server has not answered for ${String(answerMs)} ms`;
      told.silent(new NbdError("NBD_CLOSED", message));
    });
  }

  get count(): number {
    return this.#links.length;
  }

  /** The one with the fewest requests; undefined: there is none. */
  idlest(): Link | undefined {
    let best = this.#links[0];
    for (const link of this.#links) {
      if (best !== undefined && link.inFlight < best.inFlight) best = link;
    }
    return best;
  }

  adopt(opened: readonly Opened[]): void {
    this.#follow(opened.map(({ socket, isExtended }) => new Link(socket, isExtended, this.#host)));
    for (const [index, link] of [...this.#links].entries()) {
      link.begin(opened[index]?.unread ?? Buffer.alloc(0));
    }
  }

  /** Ends all at once. */
  drop(): void {
    for (const link of this.#follow([])) link.destroy();
  }

  /** Nothing is in flight: says goodbye. Waits: for the server, though not for long. */
  async close(): Promise<void> {
    await Promise.all(this.#follow([]).map((link) => link.close()));
  }

  /** Answers those that there were before. */
  #follow(links: readonly Link[]): readonly Link[] {
    const before = this.#links;
    this.#links = links;
    this.#silence.follow(links);
    return before;
  }
}
