import { EventLoopScheduler } from "@blkstack/task/node";
import { FileGround, type Ground, LateRamGround, RamGround } from "./ground.ts";
import { type Play, Player } from "./player.ts";

/** How often somebody looks whether anything still ends. */
const LOOK_MS = 5000;
/** So many looks in vain mean that nothing will. */
const LOOKS_MAX = 6;
/** Image files cost more than memory, so that one stack of so many has them. */
const FILES_ONE_OF = 10;

/** Which disks a stack gets, by its seed. */
export async function groundFor(seed: number): Promise<Ground> {
  if (seed % FILES_ONE_OF === 0) return FileGround.make();
  return seed % 2 === 0 ? new RamGround() : new LateRamGround(seed);
}

/** Plays on the event loop, in real time. Answers what was wrong; empty: nothing. */
export async function playForReal(play: Play, ground: Ground): Promise<readonly string[]> {
  let fail: (error: unknown) => void = () => undefined;
  const failed = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  const scheduler = new EventLoopScheduler({ onError: fail });
  const player = new Player({
    ...play,
    scheduler,
    ground,
    spawn: (name, body) => scheduler.spawn(name, body),
  });
  const watch = watchOver(player, () => {
    const waits = scheduler
      .sleepers()
      .map(({ name, waitingFor }) => `${name} waits for ${waitingFor?.label ?? "nothing"}`);
    fail(new Error(`all stands still: ${waits.join("; ")}`));
  });
  try {
    await player.open();
    const ended = new Promise<void>((resolve) => {
      scheduler.spawn("people", async (task) => {
        await player.play(task);
        resolve();
      });
    });
    await Promise.race([ended, failed]);
    return withLog(player.problems, player.log);
  } catch (error) {
    return withLog([errorText(error)], player.log);
  } finally {
    clearInterval(watch);
    // What stands still holds its disks for good.
    if (player.isOver) await ground.close();
  }
}

function watchOver(player: { readonly doneCount: number }, onStill: () => void): NodeJS.Timeout {
  let [doneBefore, looks] = [-1, 0];
  return setInterval(() => {
    looks = player.doneCount === doneBefore ? looks + 1 : 0;
    doneBefore = player.doneCount;
    if (looks === LOOKS_MAX) onStill();
  }, LOOK_MS);
}

/** What was wrong, and what had been done before. */
export function withLog(problems: readonly string[], log: readonly string[]): readonly string[] {
  return problems.length === 0 ? [] : [...problems, `done last: ${log.join("; ")}`];
}

function errorText(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
