import { setTimeout as delay } from "node:timers/promises";
import { Workbench } from "../workbench.ts";
import { Guest } from "./guest.ts";
import { Place } from "./place.ts";
import type { Row } from "./row.ts";

/** What takes longer hangs, whatever it is. */
const ROW_MS = 900_000;

export interface Performed {
  readonly seen: string;
  /** Null: it is as it should be. */
  readonly complaint: string | null;
}

/** A guest for one row after the other; behind a row that fails it is booted anew. */
export class Machine {
  readonly #kit: string;
  readonly #bench = new Workbench();
  #guest: Guest | null = null;
  #place: Place | null = null;

  constructor(kit: string) {
    this.#kit = kit;
  }

  /** Which kernel and which nbd-client it is. */
  async description(): Promise<string> {
    const guest = await this.#running();
    return guest.succeed(
      "echo Linux $(uname -r), nbd-client $(nbd-client -V 2>&1 | grep -o '[0-9][0-9.]*$'), emulated by qemu",
    );
  }

  async perform(id: string, check: Row["check"]): Promise<Performed> {
    const guest = await this.#running();
    const place = new Place(guest);
    this.#place = place;
    try {
      const late = delay(ROW_MS, null, { ref: false }).then(() => {
        throw new Error(
          `${id} has not ended within ${String(ROW_MS / 1000)} s; the guest's kernel said:\n${guest.lastWords()}`,
        );
      });
      return { seen: await Promise.race([check(place), late]), complaint: null };
    } catch (error) {
      await guest.stop();
      return { seen: "", complaint: (error as Error).message };
    } finally {
      await place.clear();
      this.#place = null;
    }
  }

  /** Leaves nothing running, and no files. */
  async clear(): Promise<void> {
    await this.#place?.clear();
    await this.#guest?.stop();
    this.#bench.clear();
  }

  async #running(): Promise<Guest> {
    if (this.#guest?.isRunning !== true) {
      this.#guest = await Guest.start(this.#kit, this.#bench.folder);
    }
    return this.#guest;
  }
}
