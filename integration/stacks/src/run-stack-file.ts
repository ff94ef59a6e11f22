import { playExplored } from "./explored-world.ts";
import { RamGround } from "./ground.ts";
import { layoutText } from "./layout.ts";
import { STACK_PARTS } from "./parts/index.ts";
import type { Play } from "./player.ts";
import { playForReal } from "./real-world.ts";
import type { StackWorld } from "./run-stacks.ts";
import { codesFrom } from "./seeded-random.ts";
import type { StackPart } from "./stack-part.ts";
import { layoutOf } from "./stack-file.ts";

export interface RunStackFileOptions {
  readonly world: StackWorld;
  /** What is done to the stack is drawn from it. */
  readonly seed: number;
  /** Bios and commands. */
  readonly ios: number;
  /** Where they are explored. Default: 10. */
  readonly schedules?: number;
  /** Default: all targets of this repository. */
  readonly parts?: readonly StackPart[];
}

const SCHEDULES = 10;

/**
 * Opens the devices of a stack file over disks in memory and holds them to their model. Answers what
 * was wrong, with a command that repeats it; null: nothing. Throws a StackError for what is no stack
 * file.
 */
export async function runStackFile(
  text: string,
  fileName: string,
  options: RunStackFileOptions,
): Promise<string | null> {
  const { world, seed, ios, schedules = SCHEDULES, parts = STACK_PARTS } = options;
  const layout = layoutOf(text, fileName);
  const play: Play = { layout, parts, codes: codesFrom(seed, ios), senders: 1 };
  const problems =
    world === "real"
      ? await playForReal(play, new RamGround())
      : (await playExplored(play, { seed, schedules })).problems;
  if (problems.length === 0) return null;
  const explored = world === "real" ? "" : ` --schedules ${String(schedules)}`;
  return [
    `${fileName} does not do as the model (seed ${String(seed)}, ${world}):`,
    layoutText(layout),
    ...problems,
    `repeat: npm run -s stacks -- --file ${fileName} --world ${world} --seed ${String(seed)} --ios ${String(ios)}${explored}`,
  ].join("\n");
}
