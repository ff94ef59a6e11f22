import { Bio, BioOp } from "@blkstack/bio";
import { defineScenario, explore, type World } from "@blkstack/explorer";
import { Memory } from "@blkstack/memory";
import type { Task } from "@blkstack/task";
import { Throttle, type ThrottlePort } from "@blkstack/throttle";
import { expect, it } from "vitest";

/** What a group does with its first bio, and what an administrator does to the group meanwhile. */
interface Meeting {
  /** Answers in words what came of it. */
  readonly administer: (throttle: Throttle) => string;
  readonly client?: (port: ThrottlePort, task: Task) => Promise<string>;
}

async function sendsOne(port: ThrottlePort, task: Task): Promise<string> {
  const bio = new Bio();
  bio.op = BioOp.Write;
  bio.sizeBytes = 4096;
  return (await port.throttle(bio, task)) ? "held" : "sent";
}

/** All that two tasks can come to, as far as schedules are told apart by what their steps announce. */
async function outcomes({ administer, client = sendsOne }: Meeting): Promise<string[]> {
  const seen = new Set<string>();
  const build = (world: World): void => {
    const { scheduler } = world;
    const submitter = { submitBio: (): void => undefined };
    const throttle = new Throttle({ scheduler, memory: new Memory({ scheduler }), submitter });
    throttle.addGroup("gold");
    const port = throttle.openPort("gold");
    const said = ["", ""];
    // Nothing else is shared that would have a search try both orders.
    world.spawn("client", async (task) => {
      said[0] = await client(port, task);
    });
    world.spawn("administrator", () => {
      said[1] = administer(throttle);
    });
    world.atEnd(() => {
      seen.add(said.join(", "));
      return [];
    });
  };
  const variants = { only: { expect: "ok", summary: "the only one" } } as const;
  const scenario = defineScenario({ name: "meeting", summary: "a test", variants, build });
  const report = await explore(scenario, "only", { strategy: "dpor", audits: "off" });
  expect(report.verdict).toBe("proved");
  return [...seen].sort();
}

it("a limit may come before a bio of the group or after it", async () => {
  const administer = (throttle: Throttle): string => {
    throttle.setLimits("gold", { wbps: 2 });
    return "limited";
  };
  expect(await outcomes({ administer })).toEqual(["held, limited", "sent, limited"]);
});

it("a group may be removed before its last port is closed, which is refused, or after it", async () => {
  const administer = (throttle: Throttle): string => {
    try {
      throttle.removeGroup("gold");
      return "removed";
    } catch {
      return "refused";
    }
  };
  const client: Meeting["client"] = async (port, task) => {
    await port.close(task);
    return "closed";
  };
  expect(await outcomes({ administer, client })).toEqual(["closed, refused", "closed, removed"]);
});
