import type { Bytes } from "@blkstack/bio";
import type { Scheduler, TimerHandle, TimerSource } from "@blkstack/task";

/** A client, as far as it may keep memory from others. */
export interface MemoryHolder {
  /** Payload whose memory only the client can free, by sending the rest or by taking replies. */
  readonly stuckBytes: Bytes;
  /** What it has sent and taken since it is there. */
  readonly movedBytes: Bytes;
  destroy(reason: string): void;
}

/** While others wait, a client must move what it holds within this. */
const MOVES_MS = 60_000;

/**
 * Sees to it that nobody waits for ever for memory that a client holds who does not go on. While
 * anybody waits, clients are looked at now and then; who would take more than a minute for what it
 * holds, at the speed it had between two looks, is closed. As long as there is memory for all,
 * everybody may be as slow as they like.
 */
export class StallWatch implements TimerSource {
  readonly label = "nbd clients that do not go on";
  readonly isRetry = false;
  readonly #clients: Iterable<MemoryHolder>;
  readonly #scheduler: Scheduler;
  readonly #stallMs: number;
  #waiting = 0;
  #next: TimerHandle | null = null;
  /** Those that held memory at the last look, and what they had moved until then. */
  readonly #seen = new Map<MemoryHolder, Bytes>();

  /** `clients` is gone through at each look; `stallMs` lie between two. */
  constructor(clients: Iterable<MemoryHolder>, scheduler: Scheduler, stallMs: number) {
    this.#clients = clients;
    this.#scheduler = scheduler;
    this.#stallMs = stallMs;
  }

  blockers(): readonly object[] {
    return [];
  }

  /** Somebody begins to wait for memory. */
  waitBegins(): void {
    this.#waiting += 1;
    if (this.#next === null) this.#look();
  }

  waitEnds(): void {
    this.#waiting -= 1;
  }

  /** Whoever waits now has to wait for other reasons. */
  stop(): void {
    this.#next?.cancel();
  }

  fire(): void {
    this.#next = null;
    if (this.#waiting === 0) {
      this.#seen.clear();
      return;
    }
    for (const client of [...this.#clients]) {
      const before = this.#seen.get(client);
      if (before === undefined) continue;
      const movedBytes = client.movedBytes - before;
      if (movedBytes * (MOVES_MS / this.#stallMs) < client.stuckBytes) {
        client.destroy("holds memory that others wait for, and does not go on");
      }
    }
    this.#look();
  }

  #look(): void {
    this.#seen.clear();
    for (const client of this.#clients) {
      if (client.stuckBytes > 0) this.#seen.set(client, client.movedBytes);
    }
    this.#next = this.#scheduler.startTimer(this, this.#stallMs);
  }
}
