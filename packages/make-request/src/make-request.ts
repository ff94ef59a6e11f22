import { type Bio, bioError, BioFlag, BioStatus, BioState, invariant, isBio } from "@blkstack/bio";
import {
  BioAccount,
  type BlockDevice,
  deviceOf,
  EnterResult,
  type Submitter,
  Moment,
} from "@blkstack/block";
import { assertMaySleep, type Awaitable, type Clock, isPending, type Task } from "@blkstack/task";
import {
  type CheckPolicy,
  type FaultInjection,
  passesChecks,
  type ReadOnlyPolicy,
} from "./checks.ts";
import { LimitSplitter, type SplitSets } from "./limit-splitter.ts";
import { fifo, lowerFirst, type SubmitOrder } from "./submit-order.ts";

// Constants of this module are part of the machine code; what is imported is looked up each time.
const LISTED = BioState.Listed;
const NO_WAIT = BioFlag.NoWait;
const ENTERED = EnterResult.Entered;

export interface MakeRequestOptions {
  /** Which parked bio is started next; `lowerFirst` unless told. */
  readonly submitOrder?: SubmitOrder;
  /**
   * Whether what the running driver submits is kept apart from what was parked before; `two` unless
   * told. `single` knows no order but `fifo`.
   */
  readonly lists?: "two" | "single";
  /** What to do with a write to a read-only device; `refuse` unless told. */
  readonly onReadOnly?: ReadOnlyPolicy;
  /** Where the fronts of bios beyond a queue's limits come from. Without it such bios are refused. */
  readonly split?: SplitSets;
  readonly faultInjection?: FaultInjection;
  /** Has what each device does counted, of those that `addDevice` is told of, by this clock. */
  readonly accountClock?: Clock;
}

/**
 * The way down through a stack of devices: what the kernel calls generic_make_request.
 *
 * A driver that submits a bio from inside its driver call does not call the next driver: the bio is
 * parked on the task, and the outermost call starts it when the driver has returned. So the native
 * stack stays flat however many devices stand on each other.
 *
 * A driver that throws has a defect. The error comes out of the outermost call; the bios parked on
 * the task end with an I/O error, and the task can submit again.
 */
export class MakeRequest implements Submitter {
  readonly #order: SubmitOrder;
  readonly #hasOneList: boolean;
  readonly #policy: CheckPolicy;
  readonly #splitter: LimitSplitter | null;
  /** Null: nothing is counted. */
  readonly #moment: Moment | null;

  constructor(options: MakeRequestOptions = {}) {
    const { lists = "two", submitOrder, split } = options;
    this.#hasOneList = lists === "single";
    this.#order = submitOrder ?? (this.#hasOneList ? fifo : lowerFirst);
    invariant(
      !this.#hasOneList || this.#order === fifo,
      `a single list cannot be in order ${this.#order.name}`,
    );
    this.#splitter = split === undefined ? null : new LimitSplitter(split);
    const { accountClock } = options;
    this.#moment = accountClock === undefined ? null : new Moment(accountClock);
    this.#policy = {
      onReadOnly: options.onReadOnly ?? "refuse",
      faultInjection: options.faultInjection ?? null,
      cutsLarge: split !== undefined,
    };
  }

  /**
   * Submits a bio to `bio.device`. How it ended comes through `bio.endIo`, perhaps before this
   * returns; the caller must not touch the bio afterwards.
   *
   * Waits: until the queue lets the bio in and the driver has taken it, and so for every bio that
   * comes of it. Never inside a driver call: then the bio is only checked and parked.
   */
  submitBio(bio: Bio, task: Task): Awaitable<void> {
    assertMaySleep(task, "submission of a bio");
    if (bio.next !== null || (bio.state & LISTED) !== 0) {
      invariant(false, "a bio is submitted that is still on a list");
    }
    if (!passesChecks(bio, task, this.#policy)) return;
    const lists = task.bioLists;
    if (lists === null) return this.#run(bio, task);
    lists.current.add(bio);
  }

  /** Takes the fronts that bios to a device are cut with. Throws a BlockError (ENOMEM). */
  addDevice(device: BlockDevice): void {
    this.#splitter?.addDevice(device);
    if (this.#moment !== null) device.queue.account ??= new BioAccount(this.#moment);
  }

  /** Gives up what `addDevice` took. Waits: never, but for sets of yours that do. */
  removeDevice(device: BlockDevice, task: Task): Awaitable<void> {
    return this.#splitter?.removeDevice(device, task);
  }

  /** Becomes the active submitter of the task, until nothing is parked any more. */
  #run(first: Bio, task: Task): Awaitable<void> {
    const { current } = (task.bioLists = task.ownBioLists);
    if (this.#moment !== null) this.#moment.pass();
    try {
      for (let bio: Bio | null = first; bio !== null; bio = current.pop()) {
        const step = this.#step(bio, task);
        if (step !== undefined) return this.#runWaiting(step, task);
      }
    } catch (defect) {
      abandon(task);
      throw defect;
    }
    task.bioLists = null;
  }

  async #runWaiting(first: Promise<void>, task: Task): Promise<void> {
    const { current } = task.ownBioLists;
    try {
      await first;
      for (let bio = current.pop(); bio !== null; bio = current.pop()) {
        this.#moment?.pass();
        const step = this.#step(bio, task);
        if (isPending(step)) await step;
      }
    } catch (defect) {
      abandon(task);
      throw defect;
    }
    task.bioLists = null;
  }

  /** One bio through the gate and through its driver. */
  #step(bio: Bio, task: Task): Awaitable<void> {
    const device = deviceOf(bio);
    const entered = device.queue.enter(task, (bio.flags & NO_WAIT) !== 0);
    if (entered === ENTERED) return this.#drive(bio, device, task);
    if (isPending(entered)) return this.#enterWaiting(bio, device, entered, task);
    endRefused(bio, entered);
  }

  async #enterWaiting(
    bio: Bio,
    device: BlockDevice,
    entering: Promise<EnterResult>,
    task: Task,
  ): Promise<void> {
    const entered = await entering;
    if (entered !== EnterResult.Entered) {
      endRefused(bio, entered);
      return;
    }
    this.#moment?.pass();
    const driven = this.#drive(bio, device, task);
    if (isPending(driven)) await driven;
  }

  /** Calls the driver, from inside its queue, and leaves the queue. */
  #drive(bio: Bio, device: BlockDevice, task: Task): Awaitable<void> {
    const lists = task.ownBioLists;
    if (!this.#hasOneList) lists.older.mergeInit(lists.current);
    const { account } = device.queue;
    if (account !== null) account.begin(bio);
    let running: Awaitable<void>;
    try {
      let fitting: Bio | null = bio;
      if (this.#splitter !== null) {
        const fitted = this.#splitter.fit(bio, device, task);
        if (fitted !== null && !isBio(fitted)) return this.#driveSplit(fitted, device, task);
        fitting = fitted;
      }
      running = fitting === null ? undefined : device.submitBio(fitting, task);
    } catch (defect) {
      device.queue.exit(task);
      throw defect;
    }
    if (running !== undefined) return this.#driveWaiting(running, device, task);
    this.#leave(device, task);
  }

  async #driveSplit(fitting: Promise<Bio | null>, device: BlockDevice, task: Task): Promise<void> {
    try {
      const bio = await fitting;
      if (bio !== null) await device.submitBio(bio, task);
    } catch (defect) {
      device.queue.exit(task);
      throw defect;
    }
    this.#leave(device, task);
  }

  async #driveWaiting(running: Promise<void>, device: BlockDevice, task: Task): Promise<void> {
    try {
      await running;
    } catch (defect) {
      device.queue.exit(task);
      throw defect;
    }
    this.#leave(device, task);
  }

  #leave(device: BlockDevice, task: Task): void {
    device.queue.exit(task);
    this.#order.arrange(task.ownBioLists, device.queue);
  }
}

function endRefused(bio: Bio, refusal: EnterResult): void {
  bioError(bio, refusal === EnterResult.Busy ? BioStatus.Again : BioStatus.IoError);
}

/** After a defect: whoever waits for a bio that nobody will start any more is told. */
function abandon(task: Task): void {
  const { current, older } = task.ownBioLists;
  current.mergeInit(older);
  try {
    for (let bio = current.pop(); bio !== null; bio = current.pop()) {
      bioError(bio, BioStatus.IoError);
    }
  } finally {
    task.bioLists = null;
  }
}
