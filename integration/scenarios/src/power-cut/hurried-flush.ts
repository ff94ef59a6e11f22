import { BioFlag } from "@blkstack/bio";
import { MapResult, type TargetType } from "@blkstack/block";

/** The same target, but its flushes go to the store's disk at once, whatever they should wait for. */
export function withHurriedFlushes(type: TargetType): TargetType {
  return {
    ...type,
    async create(context) {
      const target = await type.create(context);
      const store = context.openDevice("cow", "no store");
      const map = target.map.bind(target);
      target.map = (bio, task) => {
        if ((bio.flags & BioFlag.Preflush) === 0) return map(bio, task);
        bio.device = store;
        return MapResult.Remapped;
      };
      return target;
    },
  };
}
