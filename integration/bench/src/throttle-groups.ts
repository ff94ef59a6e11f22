import { Bio, BioOp } from "@blkstack/bio";
import { Memory } from "@blkstack/memory";
import { isPending } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { Throttle, type ThrottlePort } from "@blkstack/throttle";

const ACTIVE = [1, 100, 10_000];
const PER_SLICE = [1, 16];
const SLICE_MS = 100;
/** All in all, so that few groups are looked at for as long as many. */
const BIOS = 200_000;
const ROUNDS = 3;
const IDLE_GROUPS = 10_000;

/** What it takes to hold a bio and send it on, where so many groups have bios that wait. */
export interface DispatchCost {
  readonly groups: number;
  /** Of each group, in a tenth of a second. */
  readonly biosPerSlice: number;
  readonly ns: number;
}

/** Time is virtual: what is measured is work. The least disturbed of some rounds. */
export async function throttleDispatch(
  isWanted: (name: string) => boolean,
): Promise<DispatchCost[]> {
  const costs: DispatchCost[] = [];
  for (const biosPerSlice of PER_SLICE) {
    for (const groups of ACTIVE.filter((count) => isWanted(`groups ${String(count)}`))) {
      costs.push({ groups, biosPerSlice, ns: await dispatchNs(groups, biosPerSlice) });
    }
  }
  return costs;
}

async function dispatchNs(groups: number, biosPerSlice: number): Promise<number> {
  const ground = new GroupGround(groups, biosPerSlice * 10);
  // From here on some wait in each group, so that all that come later do, too.
  await ground.submit(3 * biosPerSlice);
  const slices = Math.max(4, Math.floor(BIOS / (groups * biosPerSlice)));
  let leastNs = Infinity;
  for (let round = 0; round <= ROUNDS; round += 1) {
    const sentBefore = ground.sentCount;
    const before = process.cpuUsage();
    for (let slice = 0; slice < slices; slice += 1) {
      await ground.submit(biosPerSlice);
      await ground.scheduler.advance(SLICE_MS);
    }
    // Of the processor: others may have it in between.
    const { user, system } = process.cpuUsage(before);
    const ns = ((user + system) * 1000) / (ground.sentCount - sentBefore);
    // The first round is for the compiler.
    if (round > 0) leastNs = Math.min(leastNs, ns);
  }
  return leastNs;
}

/** Groups with as many operations a second each, over a device that does nothing. */
class GroupGround {
  readonly scheduler: VirtualScheduler = new VirtualScheduler({ isExploring: false });
  readonly throttle: Throttle;
  readonly #ports: ThrottlePort[] = [];
  readonly #bios: Bio[] = [];
  sentCount = 0;

  constructor(groups: number, riops: number) {
    this.throttle = new Throttle({
      scheduler: this.scheduler,
      memory: new Memory({ scheduler: this.scheduler }),
      submitter: {
        submitBio: (bio) => {
          this.sentCount += 1;
          this.#bios.push(bio);
        },
      },
    });
    for (let number = 0; number < groups; number += 1) {
      const name = `group ${String(number)}`;
      this.throttle.addGroup(name, { limits: { riops } });
      this.#ports.push(this.throttle.openPort(name));
    }
  }

  /** Of each group so many. */
  async submit(each: number): Promise<void> {
    await this.scheduler.perform("submitter", async (task) => {
      for (const port of this.#ports) {
        for (let sent = 0; sent < each; sent += 1) {
          const bio = this.#bios.pop() ?? new Bio();
          bio.op = BioOp.Read;
          bio.sizeBytes = 4096;
          const isHeld = port.throttle(bio, task);
          if (!(isPending(isHeld) ? await isHeld : isHeld)) this.#bios.push(bio);
        }
      }
    });
  }
}

/** Bytes of memory of a group with nothing to do. */
export interface IdleGroup {
  /** That no bio has come to yet. */
  readonly unusedBytes: number;
  /** That one came to, all in all. */
  readonly usedBytes: number;
  /** Of those: its statistics, shared between threads. */
  readonly sharedBytes: number;
}

export async function throttleIdleGroup(): Promise<IdleGroup> {
  const before = memoryUsed();
  const ground = new GroupGround(IDLE_GROUPS, 1000);
  const unused = memoryUsed();
  await ground.submit(1);
  await ground.scheduler.advance(1000);
  const after = memoryUsed();
  if (ground.sentCount > 0) throw new Error("a bench bio had to wait");
  const sharedBytes = (after.sharedBytes - before.sharedBytes) / IDLE_GROUPS;
  return {
    unusedBytes: (unused.heapBytes - before.heapBytes) / IDLE_GROUPS,
    usedBytes: (after.heapBytes - before.heapBytes) / IDLE_GROUPS + sharedBytes,
    sharedBytes,
  };
}

function memoryUsed(): { heapBytes: number; sharedBytes: number } {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return { heapBytes: heapUsed, sharedBytes: arrayBuffers };
}
