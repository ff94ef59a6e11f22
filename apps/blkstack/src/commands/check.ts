import { Command } from "commander";
import { CHECK_DISKS } from "../check-disks.ts";
import { type CommandContext, printLine } from "../cli-io.ts";
import { makeGround } from "../compose.ts";
import { openPlan, readStackFile } from "../stack-file.ts";

/** `blkstack check STACK`: everything that serving would find wrong, but for the data. */
export function checkCommand({ io }: CommandContext): Command {
  return new Command("check")
    .description("validate a stack file; changes nothing")
    .argument("<stack>", "the stack file")
    .action(async (fileName: string) => {
      const plan = await readStackFile(fileName, io.cwd);
      const stack = await openPlan(plan, makeGround(), CHECK_DISKS);
      await stack.close();
      const { disks, devices, exports } = plan.description;
      const counts = [
        count(disks.size, "disk"),
        count(devices.size, "device"),
        count(exports.size, "export"),
      ];
      printLine(io.stdout, `${fileName} is good: ${counts.join(", ")}`);
    });
}

function count(number: number, what: string): string {
  return `${String(number)} ${what}${number === 1 ? "" : "s"}`;
}
