/** What an allocation may do to get its memory: an or of `GfpBit`s. */
export type Gfp = number;

export const GfpBit = {
  /** May sleep, for reclaim or for an element to come back. */
  Wait: 0x1,
  /** Reclaim may start I/O. */
  Io: 0x2,
  /** Reclaim may enter a filesystem. */
  Fs: 0x4,
  /** May use the emergency reserve. */
  High: 0x8,
  /** Stay out of the emergency reserve even where the task may use it. */
  NoMemalloc: 0x10,
  /** One attempt, no looping. */
  NoRetry: 0x20,
  NoWarn: 0x40,
  /** Memory that a device with short arms can reach. */
  Dma: 0x80,
} as const;

export const GFP_NOWAIT: Gfp = 0;
export const GFP_ATOMIC: Gfp = GfpBit.High;
/** The most that code on the I/O submission path may ask for. */
export const GFP_NOIO: Gfp = GfpBit.Wait;
/** The most that a filesystem may ask for. */
export const GFP_NOFS: Gfp = GfpBit.Wait | GfpBit.Io;
export const GFP_KERNEL: Gfp = GfpBit.Wait | GfpBit.Io | GfpBit.Fs;

/** Which of I/O and filesystem every allocation of a task is kept out of: bits of `GfpScopeBit`. */
export type GfpScope = number;

export const GfpScopeBit = { NoIo: 0x1, NoFs: 0x2 } as const;

/** Whether an allocation with this mask may sleep. */
export function mayWait(gfp: Gfp): boolean {
  return (gfp & GfpBit.Wait) !== 0;
}

/** The mask that is left of `gfp` inside a task's scopes; noio wins over nofs. */
export function effectiveGfp(gfp: Gfp, scope: GfpScope): Gfp {
  if (scope === 0) return gfp;
  if ((scope & GfpScopeBit.NoIo) !== 0) return gfp & ~(GfpBit.Io | GfpBit.Fs);
  return (scope & GfpScopeBit.NoFs) !== 0 ? gfp & ~GfpBit.Fs : gfp;
}

/** `NOIO`, or `WAIT|IO|NORETRY`: for reports and test expectations. */
export function gfpName(gfp: Gfp): string {
  const whole = WHOLE_NAMES.get(gfp);
  if (whole !== undefined) return whole;
  return Object.entries(GfpBit)
    .filter(([, bit]) => (gfp & bit) !== 0)
    .map(([name]) => name.toUpperCase())
    .join("|");
}

const WHOLE_NAMES = new Map<Gfp, string>([
  [GFP_NOWAIT, "NOWAIT"],
  [GFP_ATOMIC, "ATOMIC"],
  [GFP_NOIO, "NOIO"],
  [GFP_NOFS, "NOFS"],
  [GFP_KERNEL, "KERNEL"],
]);
