import { setTimeout as delay } from "node:timers/promises";
import type { Guest } from "./guest.ts";

const POLL_MS = 200;
const PROGRESS_MS = 120_000;

/** Waits until a load in the guest, which tells in /run/progress how far it is, has come so far. */
export async function reached(guest: Guest, wanted: number): Promise<void> {
  const untilMs = Date.now() + PROGRESS_MS;
  for (;;) {
    const { output } = await guest.run("cat /run/progress");
    if (Number(output) >= wanted) return;
    if (Date.now() > untilMs) {
      throw new Error(
        `the load is at ${output.trim()}, not at ${String(wanted)}: ${guest.lastWords()}`,
      );
    }
    await delay(POLL_MS);
  }
}
