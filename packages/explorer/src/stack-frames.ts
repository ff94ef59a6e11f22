/** Frames looked at: below a wait there are those of the primitives, of pools, and then drivers. */
const FRAMES_MAX = 50;
/** Told of one stack; each in another file. */
const FRAMES_TOLD = 3;

const FRAME = /^\s*at (?:async )?(?:(.*?) \()?(?:file:\/\/)?([^()\s]+?):(\d+):\d+\)?$/;
/** What lies below the code that is explored: the primitives and the explorer, but not its tests. */
const BELOW = /\/(?:packages|@blkstack)\/(?:explorer|task)\/(?:src|dist)\/(?!.*\.test\.)/;

const HOST = globalThis as unknown as { readonly process?: { cwd?(): string } };

/** Runs something with stacks that reach back far enough. */
export async function withLongStacks<Result>(run: () => Promise<Result>): Promise<Result> {
  const before = Error.stackTraceLimit;
  Error.stackTraceLimit = FRAMES_MAX;
  try {
    return await run();
  } finally {
    Error.stackTraceLimit = before;
  }
}

/**
 * The frames of a stack in the code that is explored, innermost first, one for each file:
 * `Splitter.map (src/splitter.ts:33)`, relative to the working directory.
 */
export function framesOf(stack: string): readonly string[] {
  const here = `${HOST.process?.cwd?.() ?? ""}/`;
  const told = new Map<string, string>();
  for (const line of stack.split("\n")) {
    const [, called = "", file = "", at = ""] = FRAME.exec(line) ?? [];
    if (file === "" || file.startsWith("node:") || file.includes("/node_modules/")) continue;
    if (BELOW.test(file) || told.has(file)) continue;
    const path = file.startsWith(here) ? file.slice(here.length) : file;
    const name = nameOf(called);
    told.set(file, name === "" ? `${path}:${at}` : `${name} (${path}:${at})`);
    if (told.size === FRAMES_TOLD) break;
  }
  return [...told.values()];
}

/** What a function is called; empty where only the engine gave it a name. */
function nameOf(called: string): string {
  return /<anonymous>|^eval$| \[as |^ExploredTask\./.test(called) ? "" : called;
}
