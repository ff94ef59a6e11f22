import type { Settle } from "./per-group-installer.ts";

/** Takes what the swap gives back for what is in now: one's own is freed when it was installed. */
export const freesUnlessOwn: Settle = (old, mine, _group, memory) => {
  if (old !== mine) memory.free(mine.block);
};

/** Whoever comes too late frees what it finds in the group. */
export const freesWhatIsThere: Settle = (old, _mine, group, memory) => {
  const found = group.stats;
  if (old !== null && found !== null) memory.free(found.block);
};
