// SQLite on a block device: commits one transaction after the other, and has a mark made in the log
// of the device for each that was acknowledged.
// workload.js COMMITS [PRAGMA…], with $unixsocket, $exportname, $control and $device.
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { NbdClient } from "@blkstack/nbd";
import * as SQLite from "wa-sqlite";
import SQLiteAsyncModule from "wa-sqlite/dist/wa-sqlite-async.mjs";
import { BlockFiles } from "./block-files.ts";
import { BlockVfs } from "./block-vfs.ts";

const { unixsocket: unix = "", exportname = "", control = "", device = "" } = process.env;
const [commits = "100", ...pragmas] = process.argv.slice(2);

const client = await NbdClient.connect({ unix }, exportname);
const sqlite = await openSqlite(new BlockVfs(await BlockFiles.open(client)));
const db = await sqlite.open_v2("db");
for (const pragma of ["page_size=1024", ...pragmas]) await sqlite.exec(db, `PRAGMA ${pragma}`);
await sqlite.exec(db, "CREATE TABLE t(id INTEGER PRIMARY KEY, note TEXT, data BLOB)");
for (let number = 1; number <= Number(commits); number += 1) {
  await sqlite.exec(
    db,
    `BEGIN;
     INSERT INTO t VALUES(${String(number)}, 'new', randomblob(${String(50 + ((number * 37) % 900))}));
     UPDATE t SET note = 'seen in ${String(number)}' WHERE id % 7 = ${String(number % 7)};
     UPDATE t SET data = NULL WHERE id < ${String(number - 40)};
     COMMIT`,
  );
  await mark(`commit ${String(number)}`);
}
await sqlite.close(db);
await client.close();

async function openSqlite(vfs: BlockVfs): Promise<SQLiteAPI> {
  const wasm = fileURLToPath(import.meta.resolve("wa-sqlite/dist/wa-sqlite-async.wasm"));
  const opened: unknown = await SQLiteAsyncModule({ wasmBinary: readFileSync(wasm) });
  const api = SQLite.Factory(opened);
  api.vfs_register(vfs, true);
  return api;
}

/** Ends when the mark is in the log. */
function mark(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(control);
    const request = { verb: "dm message", name: device, sector: 0, words: ["mark", text] };
    socket.on("error", reject);
    socket.once("data", (answer: Buffer) => {
      socket.destroy();
      if (answer.includes('"error"')) reject(new Error(answer.toString()));
      else resolve();
    });
    socket.write(`${JSON.stringify(request)}\n`);
  });
}
