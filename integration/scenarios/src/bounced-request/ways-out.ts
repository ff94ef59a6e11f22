import { BioOp, BioStatus, errnoToStatus, PAGE_BYTES } from "@blkstack/bio";
import { RequestMapper, type SgList } from "@blkstack/blk-map";
import type { World } from "@blkstack/explorer";
import { failsAt } from "@blkstack/memory";
import { GFP_NOIO } from "@blkstack/task";
import { BounceSetting, type MapperClass } from "./setting.ts";

/** What lies in the caller's memory before a read. */
const OURS = 0x11;

/**
 * A read of three bios of which one can be bounced: what was made is undone, and the caller's
 * memory is as it was.
 */
export function secondBioFails(world: World, Kind: MapperClass = RequestMapper): void {
  const setting = new BounceSetting(world, { standIns: 1 });
  const mapper = setting.mapper({}, Kind);
  const list = setting.highPages(3, OURS);
  setting.spawn("reader", async (task) => {
    const request = setting.request(BioOp.Read);
    const errno = await mapper.mapKernSg(request, list, GFP_NOIO, task);
    const isUndone = request.bios.isEmpty && request.dataBytes === 0 && request.copy === null;
    return errnoToStatus(errno) === BioStatus.Resource && isUndone
      ? BioStatus.Ok
      : BioStatus.IoError;
  });
  world.atEnd(() => complaintsAbout(list));
}

/** A read by a copy, in three bios of which some may fail: then not one byte is copied back. */
export function readByCopy(world: World, Kind: MapperClass = RequestMapper): void {
  const setting = new BounceSetting(world, {
    standIns: 1,
    disk: {
      faults: {
        statusOf: ({ sector }) => {
          const how = world.chooseOf(`the end of the bio at ${String(sector)}`, ["well", "badly"]);
          return how === "well" ? BioStatus.Ok : BioStatus.Medium;
        },
      },
    },
  });
  const mapper = setting.mapper({}, Kind);
  const list = oddMemory(3);
  let status: BioStatus | null = null;
  setting.spawn("reader", async (task) => {
    const request = setting.request(BioOp.Read);
    const errno = await mapper.mapKernSg(request, list, GFP_NOIO, task);
    if (errno !== 0) return errnoToStatus(errno);
    status = await request.execute(setting.submitter, task);
    return BioStatus.Ok;
  });
  world.atEnd(() => {
    if (mapper.liveCopies > 0) return ["a copy was never given up"];
    if (status !== BioStatus.Ok) return complaintsAbout(list);
    // The disk was never written, so it reads as zeroes.
    const isRead = list.every(({ page, offset }) => page.bytes[offset] === 0);
    return isRead ? [] : ["a read that went well brought nothing"];
  });
}

/** There is no memory to remember a copy. */
export function noRecord(world: World, Kind: MapperClass = RequestMapper): void {
  const setting = new BounceSetting(world, { standIns: 1 });
  setting.memory.faultPlan = failsAt(["copies of requests"]);
  const mapper = setting.mapper({}, Kind);
  setting.spawn("reader", async (task) => {
    const request = setting.request(BioOp.Read);
    const errno = await mapper.mapKernSg(request, oddMemory(1), GFP_NOIO, task);
    if (errno === 0) return request.execute(setting.submitter, task);
    return errnoToStatus(errno) === BioStatus.Resource ? BioStatus.Ok : BioStatus.IoError;
  });
}

/** Memory in reach that begins where no DMA engine does. */
function oddMemory(count: number): SgList {
  return Array.from({ length: count }, (_, index) => ({
    page: { bytes: new Uint8Array(2 * PAGE_BYTES).fill(OURS), frame: 2 * index },
    offset: 3,
    length: PAGE_BYTES,
  }));
}

function complaintsAbout(list: SgList): string[] {
  const isAsBefore = list.every(({ page }) => page.bytes.every((byte) => byte === OURS));
  return isAsBefore ? [] : ["a read that failed wrote into the caller's memory"];
}
