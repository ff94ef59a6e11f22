/** What a group may do each second; Infinity: as much as it likes. */
export interface GroupLimits {
  /** Bytes read. */
  readonly rbps: number;
  /** Bytes written. */
  readonly wbps: number;
  readonly riops: number;
  readonly wiops: number;
}

/** The names of the limits, in the order in which they are shown. */
export const LIMIT_NAMES: readonly (keyof GroupLimits)[] = ["rbps", "wbps", "riops", "wiops"];

/** A limit below is refused, as it is by kernels. */
export const LIMIT_MIN = 2;

export const NO_LIMITS: GroupLimits = {
  rbps: Infinity,
  wbps: Infinity,
  riops: Infinity,
  wiops: Infinity,
};
