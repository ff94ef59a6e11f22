import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { runStackFile } from "./index.ts";
import { layoutOf } from "./stack-file.ts";

const folder = fileURLToPath(new URL("../../../examples", import.meta.url));
const examples = readdirSync(folder)
  .filter((name) => name.endsWith(".yaml"))
  .map((name) => ({ name, text: readFileSync(join(folder, name), "utf8") }))
  .filter(({ name, text }) => layoutOf(text, name).devices.length > 0);
/** Its devices have seconds in which they fail, and take their time; real time would tell. */
const OF_TIME = "faults.yaml";

describe("the stacks of the examples do as the model", () => {
  it("with devices in at least six of them", () => {
    expect(examples.length).toBeGreaterThanOrEqual(6);
  });

  it.each(examples)("$name, explored", async ({ name, text }) => {
    const options = { world: "explored", seed: 1, ios: 40, schedules: 2 } as const;
    expect(await runStackFile(text, `examples/${name}`, options)).toBeNull();
  });

  it.each(examples.filter(({ name }) => name !== OF_TIME))("$name, for real", async (example) => {
    const { name, text } = example;
    const options = { world: "real", seed: 1, ios: 300 } as const;
    expect(await runStackFile(text, `examples/${name}`, options)).toBeNull();
  });
});
