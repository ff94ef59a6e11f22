import type { Verb } from "./dm-verbs.ts";

/** What can be asked about exports, by name. */
export const EXPORT_VERBS: Readonly<Record<string, Verb>> = {
  ls: {
    fields: [],
    isUrgent: true,
    perform: ({ room: { exports } }) => ({ exports: exports.list() }),
  },
  add: {
    fields: ["name", "device", "readOnly", "description", "group", "wholeBlocks"],
    isUrgent: false,
    async perform({ fields, room: { exports }, task }) {
      const description = fields.optionalText("description");
      const wanted = {
        name: fields.text("name"),
        device: fields.text("device"),
        group: fields.optionalText("group") ?? null,
        isReadOnly: fields.flag("readOnly"),
        keepsBlockSize: fields.flag("wholeBlocks"),
        ...(description === undefined ? {} : { description }),
      };
      await exports.add(wanted, task);
      return { exports: exports.list() };
    },
  },
  remove: {
    fields: ["name", "force"],
    isUrgent: false,
    async perform({ fields, room: { exports }, task }) {
      await exports.remove(fields.text("name"), task, fields.flag("force"));
      return { exports: exports.list() };
    },
  },
};
