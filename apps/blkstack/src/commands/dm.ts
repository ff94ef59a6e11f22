import { Command } from "commander";
import { type CommandContext, ExitStatus, printLine } from "../cli-io.ts";
import type { Answer } from "../control/answer.ts";
import { ask, type Request } from "../control/ask.ts";
import {
  columnsText,
  depsText,
  infoText,
  linesText,
  listText,
  refusalText,
} from "../control/dmsetup-text.ts";
import { wholeNumber } from "../option-values.ts";
import { type ControlFlags, controlVerb } from "./control-verb.ts";

interface TableFlags extends ControlFlags {
  readonly table?: string;
  readonly notable?: boolean;
  readonly readonly?: boolean;
  readonly uuid?: string;
}

/** A request about a device, or about all of them. */
interface DeviceRequest {
  readonly verb: string;
  readonly name?: string;
  readonly fields?: Readonly<Record<string, unknown>>;
}

/** What people read of an answer. */
type Text = (answer: Answer) => readonly string[];

const SILENT: Text = () => [];

/** `blkstack dm VERB …`: the devices of a server that runs. */
export function dmCommand(context: CommandContext): Command {
  const dm = new Command("dm").description(
    "change the devices of a running server, as dmsetup does",
  );
  const verbs = new DmVerbs(context);
  for (const verb of [...verbs.questions(), ...verbs.tables(), ...verbs.changes()]) {
    dm.addCommand(verb);
  }
  return dm;
}

class DmVerbs {
  readonly #context: CommandContext;

  constructor(context: CommandContext) {
    this.#context = context;
  }

  questions(): Command[] {
    const linesOf = (verb: string, description: string, text: typeof linesText): Command =>
      controlVerb(verb, description)
        .argument("[names...]")
        .option("--inactive", "of the table that waits for a resume")
        .action((names: readonly string[], flags: ControlFlags & { inactive?: boolean }) =>
          this.#askAll(verb, names, flags, {
            fields: { inactive: flags.inactive ?? false },
            text: ({ lines = [] }) => text(lines, names.length === 1),
          }),
        );
    return [
      controlVerb("ls", "the devices and their numbers").action((flags: ControlFlags) =>
        this.#askAll("ls", [], flags, { text: ({ devices = [] }) => listText(devices) }),
      ),
      linesOf("table", "tables, as text", linesText),
      linesOf("status", "how the targets of a table are doing", linesText),
      linesOf("deps", "what tables stand on", depsText),
      controlVerb("info", "the state of devices")
        .argument("[names...]")
        .option("-c, --columns", "a row for each")
        .option("--noheadings", "without the first row")
        .action(
          (
            names: readonly string[],
            flags: ControlFlags & { columns?: boolean; noheadings?: boolean },
          ) =>
            this.#askAll("info", names, flags, {
              text: ({ devices = [] }) =>
                flags.columns === true
                  ? columnsText(devices, flags.noheadings !== true)
                  : infoText(devices),
            }),
        ),
    ];
  }

  tables(): Command[] {
    return [
      this.#tableVerb("create", "make a device, of a table from standard input unless told")
        .option("-n, --notable", "without a table")
        .option("-u, --uuid <uuid>", "give it a uuid"),
      this.#tableVerb("reload", "load a table, for a resume to go live with").alias("load"),
    ].map((verb) =>
      verb.action(async (name: string, flags: TableFlags) => {
        const hasTable = flags.notable !== true;
        const table = hasTable ? (flags.table ?? (await this.#context.io.readInput())) : undefined;
        const fields = { table, readOnly: flags.readonly, uuid: flags.uuid };
        await this.#askAll(verb.name(), [name], flags, { fields, text: SILENT });
      }),
    );
  }

  changes(): Command[] {
    return [
      this.#suspendVerb("suspend", "stop bios, and wait for those in flight"),
      this.#suspendVerb("resume", "let bios flow, through the table that was loaded if any"),
      this.#changeVerb("clear", "drop the table that was loaded and is not live"),
      this.#changeVerb("wipe_table", "put a table in place in which everything fails"),
      this.#changeVerb("remove", "remove a device that nobody uses")
        .option("-f, --force", "first everything is made to fail")
        .option("--deferred", "when it is closed for the last time"),
      controlVerb("message", "hand the target at a sector a message")
        .argument("<name>")
        .argument("<sector>", "0 for the first target", wholeNumber("the sector", 0))
        .argument("<words...>")
        .action((name: string, sector: number, words: readonly string[], flags: ControlFlags) =>
          this.#askAll("message", [name], flags, {
            fields: { sector, words },
            text: ({ message = "" }) => (message === "" ? [] : message.split("\n")),
          }),
        ),
    ];
  }

  #tableVerb(name: string, description: string): Command {
    return controlVerb(name, description)
      .argument("<name>")
      .option("--table <text>", "lines START LENGTH TARGET ARGUMENTS")
      .option("-r, --readonly", "refuse writes");
  }

  #suspendVerb(name: string, description: string): Command {
    return this.#changeVerb(name, description)
      .option("--noflush", "bios may come back instead of ending")
      .option("--nolockfs", "users of the device are not asked to keep changes back");
  }

  #changeVerb(name: string, description: string): Command {
    return controlVerb(name, description)
      .argument("<names...>")
      .action((names: readonly string[], { control, json, ...fields }: ControlFlags) =>
        this.#askAll(name, names, { control, json: json ?? false }, { fields, text: SILENT }),
      );
  }

  /** Asks for each device in turn; a refusal is told, and does not keep the others from being asked. */
  async #askAll(
    verb: string,
    names: readonly string[],
    { control, json }: ControlFlags,
    { fields = {}, text }: Pick<DeviceRequest, "fields"> & { readonly text: Text },
  ): Promise<void> {
    const { io, exitWith } = this.#context;
    const answers: Answer[] = [];
    for (const name of names.length === 0 ? [undefined] : names) {
      const request: Request = {
        ...fields,
        verb: `dm ${verb}`,
        ...(name !== undefined && { name }),
      };
      const answer = await ask(control, io.cwd, request);
      if (answer.error === undefined) {
        answers.push(answer);
        continue;
      }
      for (const line of refusalText(verb, name ?? "", answer.error)) printLine(io.stderr, line);
      exitWith(ExitStatus.Found);
    }
    if (answers.length === 0) return;
    const all = merged(answers);
    if (json === true) printLine(io.stdout, JSON.stringify(all));
    else for (const line of text(all)) printLine(io.stdout, line);
  }
}

function merged(answers: readonly Answer[]): Answer {
  const devices = answers.flatMap((answer) => answer.devices ?? []);
  const lines = answers.flatMap((answer) => answer.lines ?? []);
  const [{ message } = {}] = answers;
  const [first = {}] = answers;
  return {
    ...(first.devices && { devices }),
    ...(first.lines && { lines }),
    ...(message !== undefined && { message }),
  };
}
