import type { TextOutput } from "../cli-io.ts";
import { formatTable } from "../table.ts";
import type { DeviceLines, GroupAnswer } from "./answer.ts";

/** `ls`: what groups may have, and who they are. */
export function groupsText(groups: readonly GroupAnswer[], output: TextOutput): string {
  const head = ["group", "weight", "limits", "exports"];
  const rows = groups.map(({ name, weight, words, exports }) => [
    name,
    weight === undefined ? "" : String(weight),
    words,
    exports.map((each) => JSON.stringify(each)).join(" "),
  ]);
  return formatTable(head, rows, output);
}

/** `stat`: what groups have done, and then what they had of devices that they share. */
export function groupStatText(groups: readonly GroupAnswer[], output: TextOutput): string[] {
  const head = ["group", "bytes read", "reads", "bytes written", "writes", "discards", "held back"];
  const rows = groups.map(({ name, counts, held }) => [
    name,
    ...["rbytes", "rios", "wbytes", "wios", "dios"].map((key) => String(counts[key] ?? 0)),
    String(held),
  ]);
  const tables = [formatTable(head, rows, output)];
  const shares = groups.flatMap(({ name, shares }) =>
    shares.map(({ device, weight, time, serviced, merged, queued, dequeues }) => [
      name,
      device,
      ...[weight, time, serviced, merged, queued, dequeues].map(String),
    ]),
  );
  if (shares.length > 0) {
    const shareHead = ["group", "device", "weight", "ms", "bios", "merged", "queued", "ran out"];
    tables.push("", formatTable(shareHead, shares, output));
  }
  return tables;
}

/** `stat --text`: each line behind the name of the group. */
export function statLines(answers: readonly DeviceLines[]): string[] {
  return answers.flatMap(({ name, lines }) =>
    lines.map((line) => (line.startsWith(`${name} `) ? line : `${name} ${line}`)),
  );
}
