#!/usr/bin/env node
// The command: `create-target NAME`, or `npm create @blkstack/target NAME`.
import { relative } from "node:path";
import { parseArgs } from "node:util";
import { createTarget, CreateTargetError } from "./create-target.ts";

const USAGE = `usage: create-target NAME [--package NAME] [--folder FOLDER]

Makes a package with the device-mapper target NAME: in a checkout of blkstack as packages/dm-NAME,
elsewhere as a package that stands alone. Exit status: 0 made, 2 usage.`;

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      package: { type: "string" },
      folder: { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  const [name, ...rest] = positionals;
  if (values.help === true) {
    console.log(USAGE);
  } else if (name === undefined || rest.length > 0) {
    throw new CreateTargetError(
      `one NAME is needed, there are ${String(positionals.length)}\n${USAGE}`,
    );
  } else {
    const created = await createTarget({
      name,
      cwd: process.cwd(),
      ...(values.package === undefined ? {} : { packageName: values.package }),
      ...(values.folder === undefined ? {} : { folder: values.folder }),
    });
    console.log(`${created.packageName} is made:`);
    for (const file of created.files) console.log(`  ${relative(process.cwd(), file)}`);
    console.log(`\nNow:\n${created.next.map((line) => `  ${line}`).join("\n")}`);
  }
} catch (error) {
  if (!(error instanceof CreateTargetError) && !isUsageError(error)) throw error;
  console.error(`create-target: ${error.message}`);
  process.exitCode = 2;
}

function isUsageError(error: unknown): error is Error {
  return (
    error instanceof Error && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS")
  );
}
