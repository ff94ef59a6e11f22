import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ServerTls } from "../../src/index.ts";
import { Authority } from "../certificates.ts";
import { Mismatch } from "./mismatch.ts";
import { World } from "./world.ts";

const SETTLES_MS = 10_000;

/** One server on a unix socket, for as many sessions as go well. */
export class Rig {
  readonly path: string;
  readonly world: World;
  readonly #folder: string;

  private constructor(folder: string, world: World) {
    this.#folder = folder;
    this.path = join(folder, "socket");
    this.world = world;
  }

  static async start(tls: ServerTls | undefined): Promise<Rig> {
    const rig = new Rig(await mkdtemp(join(tmpdir(), "nbd-fuzz-")), new World(tls));
    await rig.world.server.listen({ unix: rig.path });
    return rig;
  }

  /** As if nobody had been here. */
  prepare(isLate: boolean): void {
    this.world.prepare();
    for (const disk of this.world.disks) disk.isLate = isLate;
  }

  /** Waits until nothing is left of any client; throws a Mismatch when something stays. */
  async expectNothingHeld(): Promise<void> {
    const untilMs = Date.now() + SETTLES_MS;
    while (this.world.isHolding) {
      if (Date.now() > untilMs) {
        throw new Mismatch(`the server still holds ${JSON.stringify(this.world.server.counters)}`);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async stop(): Promise<void> {
    await this.world.server.close();
    await rm(this.#folder, { recursive: true });
  }
}

const authority = new Authority();
const identity = authority.issue({ commonName: "server", hosts: ["localhost"] });

/** Rigs with and without TLS; one in which something went wrong is not used again. */
export class Rigs {
  static readonly trust = { ca: authority.certificate, servername: "localhost" } as const;
  readonly #running = new Map<boolean, Rig>();

  async use(hasTls: boolean, work: (rig: Rig) => Promise<void>): Promise<void> {
    let rig = this.#running.get(hasTls);
    if (rig === undefined) {
      rig = await Rig.start(hasTls ? { ...identity, isRequired: false } : undefined);
      this.#running.set(hasTls, rig);
    }
    try {
      await work(rig);
    } catch (error) {
      this.#running.delete(hasTls);
      await rig.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    for (const rig of this.#running.values()) await rig.stop();
    this.#running.clear();
  }
}
