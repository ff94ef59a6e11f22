import { Bio } from "@blkstack/bio";
import { PendingInterrupt } from "./actor.ts";
import { bioName } from "./bio-vocabulary.ts";
import type { Check } from "./check.ts";

/** A bio that is in flight must not be handed to an interrupt again: it would end twice. */
export const doubleCompletion: Check = {
  name: "double completion",
  inspect: () => null,
  watch: ({ scheduler }) => ({
    created(actor) {
      if (!(actor instanceof PendingInterrupt) || !(actor.work instanceof Bio)) return;
      const { work: bio } = actor;
      const twin = scheduler.interrupts.find((other) => other !== actor && other.work === bio);
      if (twin === undefined) return;
      const where = `${twin.source.label} and at ${actor.source.label}`;
      scheduler.found({
        kind: "DOUBLE_COMPLETION",
        message: `${bioName(bio)} is to end at ${where}`,
      });
    },
  }),
};
