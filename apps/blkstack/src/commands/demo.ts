import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { explore, type Report } from "@blkstack/explorer";
import { Command } from "commander";
import { type CommandContext, ExitStatus, printLine } from "../cli-io.ts";
import { DEMO_STACK, demonstrateStack } from "../demo-stack.ts";
import { findScenario } from "../find-scenario.ts";
import { scenarioSource } from "../scenario-source.ts";
import { coloursFor } from "../table.ts";

const WRITTEN = "written through a stack of devices";
const SECONDS_MAX = 60;

const NEXT_STEPS = `
  truncate -s 64M disk.img && npm start -- serve disk.img
                                      serve an image file; prints its URI and goes on until Ctrl-C
  qemu-img info URI                   look at it from another terminal
  nbdcopy URI copy.img                copy it
  ./blkstack serve examples/ram-demo.yaml --run 'nbdcopy "$uri" copy.img'
                                      both at once, with a stack of devices
  ./blkstack scenarios                what else can be explored
`;

/** `blkstack demo`: what `npm start` shows. Exit status 3 when it does not go as it should. */
export function demoCommand(context: CommandContext): Command {
  return new Command("demo")
    .description("see a stack served, and a deadlock found and its fix proved")
    .action(async () => {
      const isServed = await showStack(context);
      const isFound = await showExplorer(context);
      if (!isServed || !isFound) context.exitWith(ExitStatus.Internal);
      const { bold } = coloursFor(context.io.stdout);
      printLine(context.io.stdout, `\n${bold("What next")}${NEXT_STEPS}`.trimEnd());
    });
}

async function showStack({ io: { stdout } }: CommandContext): Promise<boolean> {
  const { bold, cyan } = coloursFor(stdout);
  const folder = await mkdtemp(join(tmpdir(), "blkstack-demo-"));
  try {
    printLine(stdout, bold("1. A stack of devices, served over NBD"));
    printLine(stdout, "\nThis stack file joins the two halves of an image the other way round:\n");
    printLine(stdout, `${cyan(indented(DEMO_STACK))}\n`);
    const { uri, sizeBytes, readBack, inFile, isRight } = await demonstrateStack(folder, WRITTEN);
    const lines = [
      `served ${String(sizeBytes)} bytes at ${uri}`,
      `a client wrote "${WRITTEN}" to its first sector, and flushed`,
      `it read back   "${readBack}"`,
      `the image has  "${inFile}" at sector 16384, where the table sends it`,
    ];
    printLine(stdout, indented(lines.join("\n")));
    return isRight;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function showExplorer({ io: { stdout } }: CommandContext): Promise<boolean> {
  const { bold } = coloursFor(stdout);
  printLine(stdout, `\n${bold("2. A deadlock, found")}\n`);
  printLine(stdout, "A driver cuts bios into pieces from a pool that has too few for all of them.");
  printLine(stdout, "The explorer tries the orders in which its tasks may run:\n");
  const broken = await exploreOne("bioset-split:no-rescuer");
  printLine(stdout, indented(broken.story));
  printLine(stdout, `\n${bold("3. Its fix, proved")}\n`);
  printLine(
    stdout,
    "The same, with a thread that rescues the pieces that wait on a sleeping task:\n",
  );
  const fixed = await exploreOne("bioset-split:rescuer");
  printLine(stdout, indented(fixed.story));
  return broken.kind === "DEADLOCK" && fixed.verdict === "proved";
}

async function exploreOne(name: string): Promise<Report> {
  const { scenario, variants } = findScenario(name, await scenarioSource(undefined, "."));
  return explore(scenario, variants[0] ?? "", { seconds: SECONDS_MAX });
}

function indented(text: string): string {
  return text.trimEnd().replace(/^(?=.)/gm, "  ");
}
