import type { Verb } from "./dm-verbs.ts";

/** Has the stack file read again, and the stack be what it says. */
export const RELOAD_VERB: Verb = {
  fields: [],
  isUrgent: false,
  perform: async ({ room: { reloader } }) => ({ steps: await reloader.reload() }),
};
