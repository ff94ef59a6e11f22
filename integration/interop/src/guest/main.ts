// A Linux kernel in an emulated guest as the client of this server, a line for each row. Row ids may follow.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { howToInstall, missingTools } from "../tools.ts";
import { COMING_AND_GOING_ROWS } from "./coming-and-going-rows.ts";
import { CONNECTION_ROWS } from "./connection-rows.ts";
import { DEVICE_ROWS } from "./device-rows.ts";
import { FILESYSTEM_ROWS } from "./filesystem-rows.ts";
import { Machine } from "./machine.ts";
import type { Row } from "./row.ts";
import { SNAPSHOT_ROWS } from "./snapshot-rows.ts";

const ROWS: readonly Row[] = [
  ...DEVICE_ROWS,
  ...FILESYSTEM_ROWS,
  ...CONNECTION_ROWS,
  ...COMING_AND_GOING_ROWS,
  ...SNAPSHOT_ROWS,
].sort((one, other) => (one.id < other.id ? -1 : 1));
const TOOLS = ["qemu-system-x86_64", "apt-get", "dpkg-deb", "nbdinfo", "e2fsck"] as const;
const KIT_SCRIPT = fileURLToPath(new URL("../../guest/kit.sh", import.meta.url));
const KIT = fileURLToPath(new URL("../../../../node_modules/.cache/guest-kit", import.meta.url));
/** Not everybody who may run these has them in their path. */
const ADMIN_PATH = ":/usr/sbin:/sbin";
/** Packages come from afar. */
const KIT_MS = 1_200_000;
const Exit = { Failed: 1, NotReady: 2, Stopped: 130 } as const;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Null: the guest can be booted. */
function notReady(wanted: readonly string[]): string | null {
  const unknown = wanted.filter((id) => !ROWS.some((row) => row.id === id));
  if (unknown.length > 0) {
    return `there is no row ${unknown.join(", ")}; there are ${ROWS.map(({ id }) => id).join(", ")}`;
  }
  process.env["PATH"] = `${process.env["PATH"] ?? ""}${ADMIN_PATH}`;
  const missing = missingTools(...TOOLS);
  if (missing.length > 0) return missing.map(howToInstall).join("\nguest: ");
  const { status } = spawnSync("sh", [KIT_SCRIPT, KIT], {
    timeout: KIT_MS,
    stdio: ["ignore", 2, 2],
  });
  return status === 0 ? null : "the guest cannot be made of Debian's packages: see above";
}

/** Answers how many rows have failed. */
async function runRows(rows: readonly Row[], machine: Machine): Promise<number> {
  let failed = 0;
  for (const { id, says, check } of rows) {
    const startedMs = Date.now();
    const { seen, complaint } = await machine.perform(id, check);
    const seconds = ((Date.now() - startedMs) / 1000).toFixed(0);
    if (complaint === null) {
      say(`| ${id} | ${says} | passes: ${seen} (${seconds} s) |`);
      continue;
    }
    failed += 1;
    say(`| ${id} | ${says} | FAILS (${seconds} s) |`);
    process.stderr.write(`${id}: ${complaint}\n`);
  }
  return failed;
}

async function main(wanted: readonly string[]): Promise<number> {
  const why = notReady(wanted);
  if (why !== null) {
    process.stderr.write(`guest: ${why}\n`);
    return Exit.NotReady;
  }
  const machine = new Machine(KIT);
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.once(signal, () => {
      void machine.clear().finally(() => process.exit(Exit.Stopped));
    });
  }
  try {
    say(`Client: ${await machine.description()}`);
    say("");
    say("| row | what | result |");
    say("| --- | --- | --- |");
    const rows = ROWS.filter(({ id }) => wanted.length === 0 || wanted.includes(id));
    const failed = await runRows(rows, machine);
    say(`${String(rows.length - failed)} of ${String(rows.length)} rows pass`);
    return failed === 0 ? 0 : Exit.Failed;
  } catch (error) {
    // A row tells of its own errors; the guest cannot be booted, or has ended between rows.
    process.stderr.write(`guest: ${(error as Error).message}\n`);
    return Exit.Failed;
  } finally {
    await machine.clear();
  }
}

process.exitCode = await main(process.argv.slice(2));
