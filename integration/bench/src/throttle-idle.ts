import { Bio, BioOp } from "@blkstack/bio";
import { DeviceMapper, TargetRegistry } from "@blkstack/device-mapper";
import { NullDisk } from "@blkstack/disk-ram";
import { linear } from "@blkstack/dm-linear";
import { throttle } from "@blkstack/dm-throttle";
import type { Task } from "@blkstack/task";
import { Throttle, ThrottledDevice, type ThrottlePort } from "@blkstack/throttle";
import { BioLoad, type Ground, onGround, SIZE_SECTORS } from "./bio-cost.ts";

const LOOPS = 100;
const BIOS_PER_LOOP = 20_000;

/** What a bio of 4 KiB costs where nobody has a limit, in ns: the least disturbed of many rounds. */
export interface IdleCost {
  readonly name: string;
  readonly ns: number;
  /** Of the same way without a throttle, in turn with it. */
  readonly withoutNs: number;
}

export function throttleIdle(): Promise<IdleCost[]> {
  return onGround(async (ground) => {
    const { scheduler, task } = ground;
    const disk = new NullDisk({ name: "null", sizeSectors: SIZE_SECTORS, scheduler });
    const owner = new Throttle(ground);
    owner.addGroup("tenant");
    const mapper = new DeviceMapper({
      ...ground,
      registry: new TargetRegistry([linear, throttle]),
      services: [owner],
      lookup: () => disk,
    });
    const size = String(SIZE_SECTORS);
    const straight = await mapper.create("straight", task, { table: `0 ${size} linear null 0` });
    const within = await mapper.create("within", task, {
      table: `0 ${size} throttle null 0 tenant`,
    });
    const port = owner.openPort("tenant");
    const offered = new ThrottledDevice("null in tenant", disk, port, ground.submitter);
    await letItCount(owner, port, ground);
    const load = new BioLoad(ground);
    const loads = [disk, offered, straight, within].map((device) => ({ device, op: BioOp.Read }));
    const [bareNs = NaN, offeredNs = NaN, linearNs = NaN, targetNs = NaN] = load.compare(loads);
    const costs = [
      { name: "the question itself", ns: askNs(port, task), withoutNs: 0 },
      { name: "a line `throttle`, beside `linear`", ns: targetNs, withoutNs: linearNs },
      { name: "an export in a group, beside one in none", ns: offeredNs, withoutNs: bareNs },
    ];
    await port.close(task);
    await mapper.remove("within", task);
    await mapper.remove("straight", task);
    await owner.stop(task);
    return costs;
  });
}

/** A group has statistics some time after its first bio; before, it would cost less. */
async function letItCount(owner: Throttle, port: ThrottlePort, { task }: Ground): Promise<void> {
  const bio = new Bio();
  bio.op = BioOp.Read;
  bio.sizeBytes = 4096;
  for (let asked = 0; !/rios=[1-9]/.test(owner.ioStat("tenant", "null")); asked += 1) {
    if (asked > 1000) throw new Error("a group of the bench has no statistics");
    await port.throttle(bio, task);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function askNs(port: ThrottlePort, task: Task): number {
  const bio = new Bio();
  bio.op = BioOp.Read;
  bio.sizeBytes = 4096;
  let leastNs = Infinity;
  for (let loop = 0; loop < LOOPS; loop += 1) {
    const startNs = process.hrtime.bigint();
    for (let asked = 0; asked < BIOS_PER_LOOP; asked += 1) {
      if (port.throttle(bio, task) !== false) throw new Error("a bench bio had to wait");
    }
    leastNs = Math.min(leastNs, Number(process.hrtime.bigint() - startNs));
  }
  return leastNs / BIOS_PER_LOOP;
}
