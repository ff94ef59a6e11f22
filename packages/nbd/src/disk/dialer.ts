import { clearTimeout, setTimeout } from "node:timers";
import { setTimeout as sleep } from "node:timers/promises";
import { BlockError } from "@blkstack/block";
import { formatNbdUri, type NbdAddress } from "../uri.ts";
import { openConnections, type Opened } from "./open-links.ts";
import type { NbdDiskOptions } from "./options.ts";

/** How long the handshake may take. */
const HANDSHAKE_MS = 10_000;
const RECONNECT_MS = 30_000;
const RETRY_MS = 100;
const RETRY_MS_MAX = 1000;

type Connections = readonly [Opened, ...Opened[]];

/** Makes the connections of one disk, and makes them anew within a limit of time. */
export class Dialer {
  readonly address: NbdAddress;
  /** Whether the server has answered anything since it was last connected to. */
  isAnswered = false;
  readonly #name: string;
  readonly #count: number;
  readonly #limitMs: number;
  readonly #nowMs: () => number;
  /** Since when there is no server that answers: coming back and falling silent does not count. */
  #lostSinceMs: number | null = null;
  #connectedMs = 0;
  readonly #stop = new AbortController();

  constructor({ name, address, scheduler, connections = 1, reconnectMs }: NbdDiskOptions) {
    this.address = address;
    this.#name = name;
    this.#count = connections;
    this.#limitMs = reconnectMs ?? RECONNECT_MS;
    this.#nowMs = () => scheduler.clock.nowMs();
  }

  /** Waits: until the server serves the export. Throws a BlockError that says why it does not. */
  async dial(): Promise<Connections> {
    try {
      return await this.#tryOnce(HANDSHAKE_MS);
    } catch (error) {
      throw this.#complaint("cannot be used", error);
    }
  }

  /**
   * Tries again and again. Calls `take` with new connections, which throws a BlockError for good when
   * they are not what they should be; or `giveUp`, when that happens or the time is over.
   */
  dialAgain(take: (opened: Connections) => void, giveUp: (failure: Error) => void): void {
    const nowMs = this.#nowMs();
    const wasUp = this.isAnswered || nowMs - this.#connectedMs >= this.#limitMs;
    if (wasUp || this.#lostSinceMs === null) this.#lostSinceMs = nowMs;
    const deadlineMs = this.#lostSinceMs + this.#limitMs;
    void this.#dialUntil(deadlineMs).then(
      (opened) => {
        if (opened === null) return;
        try {
          if (this.#isStopped()) hangUp(opened);
          else take(opened);
        } catch (error) {
          if (!(error instanceof BlockError)) throw error;
          hangUp(opened);
          giveUp(error);
        }
      },
      (error: unknown) => {
        giveUp(error as Error);
      },
    );
  }

  /** The server was there and said nothing, which is as if it had not come back. */
  fellSilent(): void {
    this.#connectedMs = Infinity;
  }

  /** Ends an attempt that is under way: nobody hears of it. */
  stop(): void {
    this.#stop.abort();
  }

  #isStopped(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Null: stopped. */
  async #dialUntil(deadlineMs: number): Promise<Connections | null> {
    for (let delayMs = RETRY_MS; ; delayMs = Math.min(2 * delayMs, RETRY_MS_MAX)) {
      await sleep(delayMs, undefined, { signal: this.#stop.signal }).catch(() => undefined);
      if (this.#isStopped()) return null;
      const leftMs = deadlineMs - this.#nowMs();
      try {
        return await this.#tryOnce(Math.max(1, Math.min(HANDSHAKE_MS, leftMs)));
      } catch (error) {
        if (this.#isStopped()) return null;
        const isOver = this.#nowMs() + delayMs >= deadlineMs;
        if (isOver) {
          throw this.#complaint(`did not come back within ${String(this.#limitMs)} ms`, error);
        }
      }
    }
  }

  async #tryOnce(limitMs: number): Promise<Connections> {
    const attempt = new AbortController();
    const abort = (): void => {
      attempt.abort();
    };
    const timer = setTimeout(abort, limitMs);
    this.#stop.signal.addEventListener("abort", abort);
    try {
      const opened = await openConnections(this.address, this.#count, attempt.signal);
      this.isAnswered = false;
      this.#connectedMs = this.#nowMs();
      return opened;
    } catch (error) {
      if (!attempt.signal.aborted) throw error;
      throw new Error(`no answer within ${String(Math.round(limitMs))} ms`, { cause: error });
    } finally {
      clearTimeout(timer);
      this.#stop.signal.removeEventListener("abort", abort);
    }
  }

  #complaint(what: string, error: unknown): BlockError {
    const why = error instanceof Error ? error.message : String(error);
    const message = `disk "${this.#name}": ${formatNbdUri(this.address)} ${what}: ${why}`;
    return new BlockError("BLK_DEVICE", "ENODEV", message);
  }
}

function hangUp(opened: Connections): void {
  for (const { socket } of opened) socket.destroy();
}
