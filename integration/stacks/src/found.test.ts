import { BioOp } from "@blkstack/bio";
import { type BlockDevice, defineTarget, MapResult, type Target } from "@blkstack/block";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  onRange,
  runStacks,
  type RunStacksOptions,
  shifted,
  STACK_PARTS,
  type StackPart,
} from "./index.ts";

/** What a target does with a bio beside sending it to where it belongs. */
type Deed = (bio: Parameters<Target["map"]>[0]) => void;

/** A target of somebody else, `linear` but for what `deed` does; its model is that of `linear`. */
function partThat(deed: Deed): StackPart {
  const type = defineTarget({
    name: "almost",
    version: [1, 0, 0],
    apiVersion: 1,
    create(context) {
      context.argumentCount(2);
      const device: BlockDevice = context.openDevice(context.args[0] ?? "");
      const startSector = context.sector(context.args[1] ?? "");
      return {
        flushBios: 1,
        map(bio) {
          bio.device = device;
          if (bio.sizeBytes > 0) {
            bio.sector += startSector - context.begin;
            deed(bio);
          }
          return MapResult.Remapped;
        },
        status: (kind) =>
          kind === "table" ? `${context.deviceLabel(device)} ${String(startSector)}` : "",
        devices: () => [{ device, startSector, sizeSectors: context.sizeSectors }],
      };
    },
  });
  return {
    name: "almost",
    type,
    takes: [],
    isSolid: true,
    lines: fc.constant(onRange()),
    model: (setting) => shifted(setting.below(setting.words[0] ?? ""), Number(setting.words[1])),
  };
}

function optionsFor(deed: Deed, options: Partial<RunStacksOptions> = {}): RunStacksOptions {
  const parts = [...STACK_PARTS, partThat(deed)];
  return { world: "real", seed: 1, stacks: 50, iosPerStack: 60, parts, ...options };
}

describe("a target that is not of this repository", () => {
  it("takes part", async () => {
    const { linesOf, failure } = await runStacks(optionsFor(() => undefined));
    expect(failure).toBeNull();
    expect(linesOf["almost"]).toBeGreaterThan(5);
  });

  it.each(["real", "explored"] as const)(
    "is found to be wrong, %s, and shown by one line and at most two bios",
    async (world) => {
      // Whoever writes behind the fourth sector misses by one.
      const deed: Deed = (bio) => {
        if (bio.op === BioOp.Write && bio.sector > 4) bio.sector -= 1;
      };
      const iosPerStack = world === "real" ? 60 : 9;
      const options = optionsFor(deed, { world, iosPerStack, schedulesPerStack: 2, levels: 2 });
      const { failure } = await runStacks(options);
      expect(failure?.layout.devices).toHaveLength(1);
      expect(failure?.layout.devices[0]?.lines.map(({ part }) => part)).toEqual(["almost"]);
      expect(failure?.steps).toBeLessThanOrEqual(2);
      expect(failure?.text).toContain("must be");
    },
  );

  it("is found to be wrong in the same way by what the failure says repeats it", async () => {
    const options = optionsFor((bio) => {
      if (bio.op === BioOp.Read) bio.sector -= bio.sector % 8 === 7 ? 1 : 0;
    });
    const { failure } = await runStacks(options);
    const told = JSON.parse(failure?.text.split("\nrepeat: ")[1] ?? "") as RunStacksOptions;
    expect(told).toMatchObject({ seed: failure?.seed, stacks: 1, path: failure?.path });
    const again = await runStacks({ ...told, parts: options.parts ?? [] });
    expect(again.failure?.problems).toEqual(failure?.problems);
    expect(again.failure?.layout).toEqual(failure?.layout);
  });
});
