import { Option, TransmissionFlag } from "./wire.ts";

/** What a server can be told not to offer, in the words of `nbdinfo --can`. */
export const NBD_FEATURES = [
  "structured-reply",
  "extended-headers",
  "meta-context",
  "df",
  "flush",
  "fua",
  "trim",
  "zero",
  "fast-zero",
  "cache",
  "multi-conn",
] as const;
export type NbdFeature = (typeof NBD_FEATURES)[number];

export type DisabledFeatures = ReadonlySet<NbdFeature>;

export const NOTHING_DISABLED: DisabledFeatures = new Set();

const FLAGS: ReadonlyMap<NbdFeature, number> = new Map([
  ["df", TransmissionFlag.SendDontFragment],
  ["flush", TransmissionFlag.SendFlush],
  ["fua", TransmissionFlag.SendFua],
  ["trim", TransmissionFlag.SendTrim],
  ["zero", TransmissionFlag.SendWriteZeroes | TransmissionFlag.SendFastZero],
  ["fast-zero", TransmissionFlag.SendFastZero],
  ["cache", TransmissionFlag.SendCache],
  ["multi-conn", TransmissionFlag.CanMultiConn],
]);

const OPTIONS: ReadonlyMap<number, NbdFeature> = new Map([
  [Option.StructuredReply, "structured-reply"],
  // Includes structured replies, and so is not offered without them.
  [Option.ExtendedHeaders, "extended-headers"],
  [Option.ListMetaContext, "meta-context"],
  [Option.SetMetaContext, "meta-context"],
]);

/** The transmission flags that are left. */
export function flagsWithout(flags: number, disabled: DisabledFeatures): number {
  let left = flags;
  for (const feature of disabled) left &= ~(FLAGS.get(feature) ?? 0);
  return left;
}

/** Whether an option is to be answered as if nobody here knew it. */
export function isOptionDisabled(option: number, disabled: DisabledFeatures): boolean {
  const feature = OPTIONS.get(option);
  if (feature === "extended-headers" && disabled.has("structured-reply")) return true;
  return feature !== undefined && disabled.has(feature);
}
