import type { Verb } from "./dm-verbs.ts";

/** What can be asked about exports, by name. */
export const EXPORT_VERBS: Readonly<Record<string, Verb>> = {
  ls: {
    fields: [],
    isUrgent: true,
    perform: ({ room: { exports } }) => ({ exports: exports.list() }),
  },
  add: {
    fields: ["name", "device", "readOnly", "description"],
    isUrgent: false,
    perform({ fields, room: { exports } }) {
      const description = fields.optionalText("description");
      exports.add({
        name: fields.text("name"),
        device: fields.text("device"),
        isReadOnly: fields.flag("readOnly"),
        ...(description === undefined ? {} : { description }),
      });
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
