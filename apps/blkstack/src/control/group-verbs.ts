import type { StatFormat } from "@blkstack/stack";
import type { Answer, GroupAnswer } from "./answer.ts";
import type { Asked, Verb } from "./dm-verbs.ts";
import { refusal } from "./fields.ts";

/** What can be asked about groups, by name. At once: whatever is under way may be held by a limit. */
export const GROUP_VERBS: Readonly<Record<string, Verb>> = {
  ls: {
    fields: ["name"],
    isUrgent: true,
    perform: (asked) => ({ groups: wantedNames(asked).map((name) => groupOf(name, asked)) }),
  },
  stat: { fields: ["name", "format"], isUrgent: true, perform: stat },
  set: {
    fields: ["name", "words"],
    isUrgent: true,
    perform(asked) {
      const name = asked.fields.text("name");
      asked.room.stack.groups.change(name, asked.fields.text("words"));
      return { groups: [groupOf(name, asked)] };
    },
  },
};

/** The groups, and if it is asked for also their text in a format. */
function stat(asked: Asked): Answer {
  const { fields, room, task } = asked;
  const names = wantedNames(asked);
  const groups = names.map((name) => groupOf(name, asked));
  const format = fields.optionalText("format");
  if (format === undefined) return { groups };
  if (!isFormat(format)) throw refusal("format should be io.stat or blkio");
  const lines = names.map((name) => ({
    name,
    lines: room.stack.groups.statText(name, format, task),
  }));
  return { groups, lines };
}

function wantedNames({ fields, room }: Asked): string[] {
  const name = fields.optionalText("name");
  return name === undefined ? room.stack.groups.names : [name];
}

function groupOf(name: string, { room: { stack, exports }, task }: Asked): GroupAnswer {
  const own = exports.list().filter(({ group }) => group === name);
  return { ...stack.groups.report(name, task), exports: own.map((each) => each.name) };
}

function isFormat(text: string): text is StatFormat {
  return text === "io.stat" || text === "blkio";
}
