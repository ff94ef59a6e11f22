import { SECTOR_BYTES } from "@blkstack/bio";
import { BlockError, defineTarget, type TargetContext, type TargetType } from "@blkstack/block";
import { BufioCaches, BufioClient } from "@blkstack/bufio";
import { Memory } from "@blkstack/memory";
import { BioData } from "./bio-data.ts";
import { type CacheArguments, parseArguments } from "./cache-arguments.ts";
import { CachedDevice } from "./cached-device.ts";
import { CacheTarget } from "./cache-target.ts";
import { SlowPath, WORKERS } from "./slow-path.ts";

/** Keeps the blocks of one device in memory that were used last. */
export const cache: TargetType = defineTarget({
  name: "cache",
  version: [1, 0, 0],
  apiVersion: 1,
  createPerBioData: () => new BioData(),
  create(context) {
    const given = parseArguments(context);
    const { deviceName: name, scheduler, submitter, sizeSectors } = context;
    const device = context.openDevice(given.device);
    if (sizeSectors < given.blockBytes / SECTOR_BYTES) {
      throw context.error("Block is larger than the target", "EINVAL");
    }
    const client = createClient(context, given, device);
    const { mode } = given;
    const parts = { name, device, client, mode, scheduler, submitter };
    const cached = new CachedDevice(parts, sizeSectors);
    return new CacheTarget(cached, new SlowPath(name, cached), context, given);
  },
});

function createClient(
  context: TargetContext,
  { blockBytes, cacheBlocks }: CacheArguments,
  device: ReturnType<TargetContext["openDevice"]>,
): BufioClient {
  const { scheduler, submitter } = context;
  // The size is the target's own, and what it has been given to keep does not get old.
  const cacheBytes = blockBytes * cacheBlocks;
  const caches = new BufioCaches(scheduler, { cacheBytes, maxAgeMs: Infinity });
  try {
    return new BufioClient({
      name: context.deviceName,
      scheduler,
      submitter,
      caches,
      device,
      blockBytes,
      memory: context.service(Memory),
      // As many as can be held at a time.
      reservedBuffers: WORKERS,
    });
  } catch (cause) {
    if (!(cause instanceof BlockError)) throw cause;
    throw context.error("Cannot make the cache", cause.errno, cause.message);
  }
}
