import { BioOp, BioStatus, errnoToStatus } from "@blkstack/bio";
import { type Request, type RequestMapper, transferKernSg } from "@blkstack/blk-map";
import { BounceInTurn, MUST_SUCCEED } from "@blkstack/bounce";
import type { World } from "@blkstack/explorer";
import { Completion, GFP_NOIO, type Task } from "@blkstack/task";
import { BounceSetting, type BounceWish, heapOf } from "./setting.ts";

export interface WholeRequests extends BounceWish {
  readonly mappers: number;
  /** Bios of each request; each has one page, out of reach. */
  readonly bios: number;
}

/** Maps all of a request, then issues it. */
async function mapAndIssue(
  setting: BounceSetting,
  mapper: RequestMapper,
  bios: number,
  task: Task,
): Promise<BioStatus> {
  const request = setting.request();
  const errno = await mapper.mapKernSg(request, setting.highPages(bios), GFP_NOIO, task);
  return errno === 0 ? request.execute(setting.submitter, task) : errnoToStatus(errno);
}

/** All bios of a request are bounced before any of them is in flight. */
export function allBeforeAny(world: World, { mappers, bios, ...wish }: WholeRequests): void {
  const setting = new BounceSetting(world, wish);
  const mapper = setting.mapper({ bouncing: "mustSucceed" });
  for (let each = 1; each <= mappers; each += 1) {
    setting.spawn(`mapper-${String(each)}`, (task) => mapAndIssue(setting, mapper, bios, task));
  }
}

/** The same, and the bios of requests come from that very set too. */
export function originalsFromTheSet(world: World, bios: number): void {
  const setting = new BounceSetting(world, { standIns: 2 });
  const mapper = setting.mapper({ bouncing: "mustSucceed", heap: heapOf(setting.set) });
  setting.spawn("mapper-1", (task) => mapAndIssue(setting, mapper, bios, task));
}

/** Each bio of a request is a request of its own, which ends before the next begins. */
export function inPieces(world: World, { mappers, bios, ...wish }: WholeRequests): void {
  const setting = new BounceSetting(world, wish);
  const mapper = setting.mapper({ bouncing: "mustSucceed" });
  for (let each = 1; each <= mappers; each += 1) {
    setting.spawn(`mapper-${String(each)}`, async (task) => {
      let status: BioStatus = BioStatus.Ok;
      for (let done = 0; done < bios && status === BioStatus.Ok; done += 1) {
        status = await mapAndIssue(setting, mapper, 1, task);
      }
      return status;
    });
  }
}

/** A request that cannot be bounced lets go of all, and goes on with the half of it. */
export function mayFail(
  world: World,
  { mappers, bios, isOneBio = false, ...wish }: WholeRequests & { readonly isOneBio?: boolean },
): void {
  const setting = new BounceSetting(world, wish);
  const mapper = setting.mapper({ vecsPerBio: isOneBio ? bios : 1 });
  for (let each = 1; each <= mappers; each += 1) {
    setting.spawn(`mapper-${String(each)}`, (task) => {
      const list = setting.highPages(bios);
      const what = { device: setting.disk, op: BioOp.Write, sector: 0, list };
      return transferKernSg(mapper, setting.submitter, what, { gfp: GFP_NOIO, task });
    });
  }
}

/** A request that cannot be bounced lets go of all, and tries again at once. */
export function triesAgainAtOnce(world: World, bios: number): void {
  const setting = new BounceSetting(world, { standIns: 2 });
  const mapper = setting.mapper({});
  setting.spawn("mapper-1", async (task) => {
    let request: Request;
    let errno: number;
    do {
      request = setting.request();
      errno = await mapper.mapKernSg(request, setting.highPages(bios), GFP_NOIO, task);
    } while (errno !== 0);
    return request.execute(setting.submitter, task);
  });
}

/** Tasks that bounce and submit one bio each, of some pages. */
export function oneBioEach(
  world: World,
  wish: BounceWish & { readonly tasks: number; readonly each: number; readonly inTurn?: boolean },
): void {
  const { tasks, each, inTurn = false, ...rest } = wish;
  const setting = new BounceSetting(world, rest);
  const turn = new BounceInTurn(setting.bounce, "sda");
  for (let writer = 1; writer <= tasks; writer += 1) {
    setting.spawn(`writer-${String(writer)}`, async (task) => {
      const bio = setting.highBio(each);
      const { scheduler } = task;
      const blockers = (): readonly object[] => [bio];
      const end = new Completion(`end of ${bio.toString()}`, {
        scheduler,
        blockers,
        endsBy: "any",
      });
      bio.endIo = () => {
        end.complete();
      };
      const standIn = inTurn
        ? await turn.bounce(bio, task)
        : await setting.bounce.bounce(bio, MUST_SUCCEED, task);
      if (standIn === null) return BioStatus.Resource;
      await setting.submitter.submitBio(standIn, task);
      await end.wait(task);
      return bio.status;
    });
  }
}
