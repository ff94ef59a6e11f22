// Killed in the middle of writes to an origin and to its snapshot, and started again.
import { afterAll, expect, it } from "vitest";
import type { Answer } from "../src/block-client.ts";
import { Errno } from "../src/raw-protocol.ts";
import { ServedStack } from "../src/served-stack.ts";
import { snapshotStack } from "../src/snapshot-stack.ts";

const BLOCK = 4096;
const BLOCKS = 4096;
const STACK = snapshotStack({ originMib: 16, storeMib: 48, chunkSectors: 8 });

const stack = new ServedStack();

afterAll(async () => {
  await stack.clear();
});

/** What a block is known to hold: more than one thing while it is not known whether a write came. */
type Known = readonly [was: number, ...orIs: number[]];

const blockOf = (value: number): Buffer => Buffer.alloc(BLOCK, value);

/** Writes every fourth block of an export; answers what is known of them when the server has gone. */
async function writeUntilGone(
  name: string,
  { first, value }: { readonly first: number; readonly value: number },
  onAnswer: () => void,
): Promise<Map<number, Answer>> {
  const client = await stack.open(name);
  const answers = new Map<number, Answer>();
  const writers = Array.from({ length: 16 }, async (_, writer) => {
    for (let block = first + 4 * writer; block < BLOCKS; block += 64) {
      const answer = await client.write(block * BLOCK, blockOf(value));
      answers.set(block, answer);
      if (answer === null) return;
      expect(answer.errno).toBe(Errno.Ok);
      onAnswer();
    }
  });
  await Promise.all(writers);
  client.close();
  return answers;
}

function learn(known: Map<number, Known>, answers: Map<number, Answer>, value: number): void {
  for (const [block, answer] of answers) {
    const [was] = known.get(block) ?? [0];
    known.set(block, answer === null ? [was, value] : [value]);
  }
}

/** Reads a whole export; a block that may be either thing is known from now on. */
async function compare(name: string, known: Map<number, Known>): Promise<void> {
  const client = await stack.open(name);
  const answer = await client.read(0, BLOCKS * BLOCK);
  client.close();
  expect(answer?.errno).toBe(Errno.Ok);
  const bytes = answer?.bytes ?? Buffer.alloc(0);
  for (let block = 0; block < BLOCKS; block += 1) {
    const found = bytes.subarray(block * BLOCK, (block + 1) * BLOCK);
    const value = found[0] ?? -1;
    const possible = known.get(block) ?? [0];
    const isWhole = found.equals(blockOf(value));
    const what = `${name} block ${String(block)}`;
    expect({ what, isWhole, isOneOf: possible.includes(value) ? possible : value }).toEqual({
      what,
      isWhole: true,
      isOneOf: possible,
    });
    known.set(block, [value]);
  }
}

it("a server that is killed again and again loses nothing that it acknowledged, and mixes nothing up", async () => {
  await stack.serve(STACK);
  const origin = new Map<number, Known>();
  const snapshot = new Map<number, Known>();
  let [killed, lost] = [0, 0];
  for (let round = 0; round < 4; round += 1) {
    let answered = 0;
    const killLater = (): void => {
      answered += 1;
      if (answered === 300 + 150 * round) void stack.served.stop("SIGKILL");
    };
    const value = 1 + 2 * round;
    const [onOrigin, onSnapshot] = await Promise.all([
      writeUntilGone("vm", { first: round % 4, value }, killLater),
      writeUntilGone("before", { first: (round + 2) % 4, value: value + 1 }, killLater),
    ]);
    await stack.served.stop("SIGKILL");
    killed += 1;
    lost += [...onOrigin.values(), ...onSnapshot.values()].filter((each) => each === null).length;
    learn(origin, onOrigin, value);
    learn(snapshot, onSnapshot, value + 1);
    await stack.serve(STACK);
    await compare("vm", origin);
    await compare("before", snapshot);
  }
  expect(killed).toBe(4);
  // Else it was never in the middle of anything.
  expect(lost).toBeGreaterThan(10);
});
