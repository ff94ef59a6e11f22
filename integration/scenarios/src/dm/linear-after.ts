import { defineTarget, MapResult, type TargetType } from "@blkstack/block";
import type { Task } from "@blkstack/task";

/** A kind of target that maps as `linear` does, once `before` is done. */
export function linearAfter(name: string, before: (task: Task) => Promise<void>): TargetType {
  return defineTarget({
    name,
    version: [1, 0, 0],
    apiVersion: 1,
    create(context) {
      const { args, begin, sizeSectors } = context;
      const [deviceName = "", start = "0"] = args;
      const device = context.openDevice(deviceName);
      const startSector = context.sector(start);
      return {
        flushBios: 1,
        async map(bio, task) {
          await before(task);
          bio.device = device;
          bio.sector += startSector - begin;
          return MapResult.Remapped;
        },
        status: (kind) => (kind === "table" ? `${context.deviceLabel(device)} ${start}` : ""),
        devices: () => [{ device, startSector, sizeSectors }],
      };
    },
  });
}
