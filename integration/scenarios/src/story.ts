import type { Scenario, Variant, World } from "@blkstack/explorer";
import type { Awaitable } from "@blkstack/task";

/** One variant and how its stack is built. */
export interface Story extends Variant {
  build(world: World): Awaitable<void>;
}

/** A scenario of variants that build themselves. */
export function scenarioOf(
  name: string,
  summary: string,
  stories: Readonly<Record<string, Story>>,
): Scenario {
  return {
    name,
    summary,
    variants: stories,
    build: (world, variant) => stories[variant]?.build(world),
  };
}
