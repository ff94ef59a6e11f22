import { Command } from "commander";
import { type CommandContext } from "../cli-io.ts";

/** `blkstack demo`: what `npm start` shows. */
export function demoCommand({ io }: CommandContext): Command {
  return new Command("demo").description("see a stack served, and a deadlock found").action(() => {
    io.stdout.write("");
  });
}
