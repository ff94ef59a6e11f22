// What worker threads of the tests import.
import { isMainThread } from "node:worker_threads";
import type { Scenario } from "../src/scenario.ts";
import { philosophers } from "./deadlock-models.ts";
import { model } from "./models.ts";

export const table: readonly Scenario[] = [
  { ...model(philosophers(4)), name: "phil(4)" },
  { ...model(philosophers(7)), name: "phil(7)" },
];

/** Ends each thread that it runs in but the first. */
export const leaving: Scenario = onlyHere("leaving", () => process.exit(7));

/** Cannot be built in a worker. */
export const broken: Scenario = onlyHere("broken", () => {
  throw new Error("no disk here");
});

function onlyHere(name: string, elsewhere: () => never): Scenario {
  const scenario = model(philosophers(4));
  return {
    ...scenario,
    name,
    build(world, variant) {
      if (!isMainThread) elsewhere();
      return scenario.build(world, variant);
    },
  };
}
