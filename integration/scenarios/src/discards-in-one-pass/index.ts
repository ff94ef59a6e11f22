import { BioOp } from "@blkstack/bio";
import { defineTarget, EndIoResult, MapResult, type TargetType } from "@blkstack/block";
import { frontClone, type SplitPolicy } from "@blkstack/device-mapper";
import type { Expectation, Scenario } from "@blkstack/explorer";
import { Gate } from "../dm/gate.ts";
import { DmSetting } from "../dm/setting.ts";
import { dataOnly } from "../pieces/mutants.ts";
import { scenarioOf, type Story } from "../story.ts";

/** One rule for all operations: what is true of reads and writes is true of discards. */
export const discardsInOnePass: Scenario = scenarioOf(
  "discards-in-one-pass",
  "two targets that serve one bio at a time between them, and a discard over both",
  {
    "front-clone": discarding(frontClone, "ok", "a piece at a time, whatever the operation"),
    "data-only": discarding(
      dataOnly,
      "DEADLOCK",
      "M10: all pieces of a discard in one call: the first, parked, is what the second waits for",
    ),
  },
);

function discarding(splitPolicy: SplitPolicy, expect: Expectation, summary: string): Story {
  return {
    expect,
    summary,
    strategy: "dpor",
    async build(world) {
      const setting = new DmSetting(world, { splitPolicy, types: [oneAtATime()] });
      setting.disk("sda");
      const device = await setting.create("top", "0 8 one-at-a-time sda", "8 8 one-at-a-time sda");
      setting.spawn("discarder", { device, op: BioOp.Discard, sector: 0, sectors: 16 });
    },
  };
}

/** Targets of which only one has a bio under way. */
function oneAtATime(): TargetType {
  const gate = new Gate("one at a time");
  return defineTarget({
    name: "one-at-a-time",
    version: [1, 0, 0],
    apiVersion: 1,
    create(context) {
      const device = context.openDevice(context.args[0] ?? "");
      return {
        discardBios: 1,
        async map(bio, task) {
          await gate.pass(bio, task);
          bio.device = device;
          return MapResult.Remapped;
        },
        endIo() {
          gate.open(context.scheduler);
          return EndIoResult.Done;
        },
        status: () => "",
        devices: () => [{ device, startSector: 0, sizeSectors: context.sizeSectors }],
      };
    },
  });
}
