import { dpor } from "../dpor.ts";
import { exhaustive, random, type Strategy } from "../strategy.ts";
import { delays, preemptions } from "./bounded.ts";
import { pct } from "./pct.ts";
import { portfolio } from "./portfolio.ts";
import { partialOrderSampling } from "./pos.ts";
import { uniformWalk } from "./urw.ts";

/** What a strategy that goes by its name may be told. */
export interface StrategySettings {
  readonly seed?: number;
  /** Of "pct". Default 3. */
  readonly depth?: number;
  /** Of "preemptions" and "delays". Default: one after the other. */
  readonly bound?: number;
  /** Where equal states are merged, a portfolio tries to prove by that too. */
  readonly dedupe?: "states" | "none";
}

/** The strategies that go by a name. */
export const STRATEGY_NAMES = [
  "exhaustive",
  "dpor",
  "preemptions",
  "delays",
  "random",
  "urw",
  "pos",
  "pct",
  "portfolio",
] as const;

export type StrategyName = (typeof STRATEGY_NAMES)[number];

/** Throws a `RangeError` for a depth below 1 or a bound below 0. */
export function strategyNamed(name: StrategyName, settings: StrategySettings): Strategy {
  const { seed = 1, depth, bound, dedupe } = settings;
  switch (name) {
    case "exhaustive":
      return exhaustive();
    case "dpor":
      return dpor();
    case "preemptions":
      return preemptions(bound);
    case "delays":
      return delays(bound);
    case "random":
      return random(seed);
    case "urw":
      return uniformWalk(seed);
    case "pos":
      return partialOrderSampling(seed);
    case "pct":
      return pct(depth === undefined ? { seed } : { seed, depth });
    case "portfolio":
      return portfolio({ seed, proof: dedupe === "states" ? [exhaustive(), dpor()] : [dpor()] });
  }
}
