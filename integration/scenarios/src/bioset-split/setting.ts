import { BioSet, type BioSetOptions } from "@blkstack/bio-set";
import type { RamDisk } from "@blkstack/disk-ram";
import type { World } from "@blkstack/explorer";
import { MakeRequest, type MakeRequestOptions } from "@blkstack/make-request";
import { allFail, type FaultPlan, Memory } from "@blkstack/memory";
import { complaintsOf, ramDisk, watchSet } from "./stack.ts";

export type SetClass<Set extends BioSet = BioSet> = new (options: BioSetOptions) => Set;
export type SetOptions = Pick<BioSetOptions, "name" | "poolSize"> & Partial<BioSetOptions>;

/** What every stack of this story stands on: a disk, a way down, and memory that runs out. */
export class Setting {
  readonly world: World;
  readonly memory: Memory;
  readonly submitter: MakeRequest;
  readonly disk: RamDisk;
  readonly #sets: BioSet[] = [];

  constructor(world: World, options: MakeRequestOptions = {}) {
    this.world = world;
    this.memory = new Memory({ scheduler: world.scheduler });
    this.submitter = new MakeRequest(options);
    this.disk = ramDisk(world, "sda");
  }

  /** A set of bios with a rescuer, unless told otherwise, of which reports know. */
  bioSet(options: SetOptions): BioSet;
  bioSet<Set extends BioSet>(options: SetOptions, Kind?: SetClass<Set>): Set;
  bioSet(options: SetOptions, Kind: SetClass = BioSet): BioSet {
    const { world, memory, submitter } = this;
    const common = { scheduler: world.scheduler, memory, submitter, rescuer: true };
    const set = new Kind({ ...common, ...options });
    watchSet(world, set);
    this.#sets.push(set);
    return set;
  }

  /** From here on there is nothing but the reserves, and in the end they must be full again. */
  exhaustMemory(plan: FaultPlan = allFail): void {
    this.memory.faultPlan = plan;
    this.world.atEnd(() => this.#sets.flatMap((set) => [...complaintsOf(set)]));
  }
}
