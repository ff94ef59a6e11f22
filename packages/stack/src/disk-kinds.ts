import type { Bytes } from "@blkstack/bio";
import type { BlockDevice } from "@blkstack/block";
import type { Awaitable, Scheduler } from "@blkstack/task";
import type { DiskDescription } from "./description.ts";

/** What an opener is told of the disk that it is to open. */
export interface DiskRequest<Description extends DiskDescription> {
  /** What the disk is called in tables. */
  readonly name: string;
  readonly disk: Description;
  /** Paths of the description are relative to this folder. */
  readonly baseDirectory: string;
  readonly scheduler: Scheduler;
}

/** A disk at the bottom of a stack, and how to be rid of it. */
export interface OpenDisk {
  readonly device: BlockDevice;
  /** Makes durable what was written, and lets go of the disk. */
  close?(): Awaitable<void>;
  /**
   * Makes the disk so long, which is more than it was said to be, for whoever looks at it from then on;
   * absent: it cannot. Throws a BlockError that says why not.
   */
  grow?(sizeBytes: Bytes): Awaitable<void>;
  /** Removes what opening it created; called after `close`, when the stack is not to be. */
  removeCreated?(): Awaitable<void>;
}

/** Opens one kind of disk. Throws a BlockError that says what is wrong with it. */
export type DiskOpener<Description extends DiskDescription> = (
  request: DiskRequest<Description>,
) => Awaitable<OpenDisk>;

/** Who opens which kind. A stack with a disk of a kind that is not here is refused. */
export type DiskKinds = {
  readonly [Kind in DiskDescription["kind"]]?: DiskOpener<
    Extract<DiskDescription, { readonly kind: Kind }>
  >;
};

/** Opens a disk with the opener for its kind; undefined when there is none. */
export function openDisk(
  kinds: DiskKinds,
  request: DiskRequest<DiskDescription>,
): Awaitable<OpenDisk> | undefined {
  const { disk } = request;
  switch (disk.kind) {
    case "file":
      return kinds.file?.({ ...request, disk });
    case "loop":
      return kinds.loop?.({ ...request, disk });
    case "nbd":
      return kinds.nbd?.({ ...request, disk });
    case "ram":
      return kinds.ram?.({ ...request, disk });
  }
}
