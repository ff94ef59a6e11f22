// Killed in the middle of fio's writes and ours. Far more often: npm run -s kill -- --times 50
import { describe, expect, it, onTestFinished } from "vitest";
import { Rounds, type StackName, STACKS } from "../src/kill/rounds.ts";
import { isMissing } from "../src/tools.ts";

describe.skipIf(isMissing("fio"))("a server that is killed while it is written to", () => {
  it.each(Object.keys(STACKS) as StackName[])(
    "has all that was flushed, and serves at once when started again (%s)",
    async (name) => {
      const rounds = new Rounds(name);
      onTestFinished(() => rounds.clear());
      await rounds.start();
      for (const moment of [0.2, 0.6]) {
        const { flushes, broken, fioBytes, lost, mixed } = await rounds.next(moment);
        expect({ lost, mixed }).toEqual({ lost: 0, mixed: 0 });
        // Else it was never in the middle of anything.
        expect(Math.min(flushes, broken, fioBytes)).toBeGreaterThan(0);
      }
    },
  );
});
