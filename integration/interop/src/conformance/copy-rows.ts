import { equal, match, ok } from "node:assert/strict";
import { closeSync, ftruncateSync, openSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { succeed } from "../tools.ts";
import { eventually } from "../workbench.ts";
import type { Row } from "./row.ts";
import { nothingFailed, scripted } from "./script-row.ts";
import { SIZE_BYTES } from "./target.ts";

/** Puts a whole image of random bytes into the file `a`. */
const RANDOM = `head -c ${String(SIZE_BYTES)} /dev/urandom >a\n`;
const SIZE_LINE = `${String(SIZE_BYTES)}\n`;

/** What tools that copy, convert and layer images do with an export. */
export const COPY_ROWS: readonly Row[] = [
  scripted({
    id: "C01",
    says: "qemu-img: an image converted onto the export is identical",
    needs: ["qemu-img"],
    script: `${RANDOM}qemu-img convert -n -f raw -O raw a "$U"
      qemu-img compare -f raw -F raw a "$U"`,
  }),
  scripted({
    id: "C02",
    says: "qemu-img: the export converted to qcow2 has no errors and is identical",
    needs: ["qemu-img"],
    script: `qemu-img convert -f raw -O qcow2 "$U" q
      qemu-img check q
      qemu-img compare -f raw -F qcow2 "$U" q`,
  }),
  scripted({
    id: "C03",
    says: "qemu-img map: pieces from end to end",
    needs: ["qemu-img"],
    script: 'qemu-img map -f raw --output=json "$U"',
    look: (printed) => {
      let end = 0;
      for (const { start, length } of JSON.parse(printed) as { start: number; length: number }[]) {
        equal(start, end);
        end += length;
      }
      equal(end, SIZE_BYTES);
    },
  }),
  scripted({
    id: "C04",
    says: "qemu-img measure: room for all of the export",
    needs: ["qemu-img"],
    script: 'qemu-img measure -f raw -O qcow2 --output=json "$U"',
    look: (printed) => {
      const measured = JSON.parse(printed) as Record<string, number>;
      const whole = measured["fully-allocated"] ?? NaN;
      ok(whole >= SIZE_BYTES, `${String(whole)} bytes`);
      ok((measured["required"] ?? NaN) <= whole, printed);
    },
  }),
  scripted({
    id: "C05",
    says: "nbdcopy: there and back, the same to the last bit",
    needs: ["nbdcopy"],
    script: `${RANDOM}nbdcopy a "$U"
      nbdcopy "$U" b
      cmp a b`,
  }),
  scripted({
    id: "C06",
    says: "nbdcopy: the same over four connections, 32 requests under way on each",
    needs: ["nbdcopy"],
    script: `${RANDOM}nbdcopy --connections=4 --requests=32 a "$U"
      nbdcopy --connections=4 --requests=32 "$U" b
      cmp a b`,
  }),
  scripted({
    id: "C07",
    says: "nbdcopy: the same one by one with a flush, and to a pipe",
    needs: ["nbdcopy"],
    script: `${RANDOM}nbdcopy --synchronous --flush a "$U"
      nbdcopy --synchronous "$U" b
      cmp a b
      nbdcopy "$U" - | cmp - a`,
  }),
  scripted({
    id: "C08",
    says: "nbdkit: its filter checkwrite finds every write of a copy right",
    needs: ["nbdkit", "nbdcopy"],
    script: `nbdkit -U - --filter=checkwrite nbd uri="$U" --run 'nbdcopy "$U" "$uri"'`,
  }),
  scripted({
    id: "C09",
    says: "nbddump: prints what is there",
    needs: ["nbddump", "qemu-io"],
    script: `qemu-io -f raw -c 'write -P 0x5a 0 16' "$U" >&2
      nbddump "$U" 2>&1 | head -n 1`,
    look: (printed) => {
      match(printed, /^0+: (?:5a ){8,}.*ZZZZZZZZ/);
    },
  }),
  scripted({
    id: "C10",
    says: "nbdkit: as a proxy it tells the same size",
    needs: ["nbdkit", "nbdinfo"],
    script: `nbdkit -U - nbd uri="$U" --run 'nbdinfo --size "$uri"'`,
    look: (printed) => {
      equal(printed, SIZE_LINE);
    },
  }),
  scripted({
    id: "C11",
    says: "nbdkit: its filter cow takes writes, and the export is as it was",
    needs: ["nbdkit", "qemu-io"],
    script: `nbdkit -U - --filter=cow nbd uri="$UR" \\
        --run 'qemu-io -f raw -c "write -P 0x55 1M 1M" -c "read -P 0x55 1M 1M" "$uri"'
      qemu-io -r -f raw -c 'read -P 0 0 64M' "$UR"`,
    look: nothingFailed,
  }),
  scripted({
    id: "C12",
    says: "qemu-img: what an overlay commits lands on the export",
    needs: ["qemu-img", "qemu-io"],
    script: `qemu-io -f raw -c 'write -P 0x66 0 8M' "$U"
      qemu-img create -q -f qcow2 -F raw -b "$U" overlay
      qemu-io -f qcow2 -c 'write -P 0x99 3M 1M' overlay
      qemu-io -f raw -c 'read -P 0x66 0 8M' "$U"
      qemu-img commit -q overlay
      qemu-io -f raw -c 'read -P 0x66 0 3M' -c 'read -P 0x99 3M 1M' -c 'read -P 0x66 4M 4M' "$U"`,
    look: nothingFailed,
  }),
  scripted({
    id: "C13",
    says: "qemu-storage-daemon: serves it again, with the same size",
    needs: ["qemu-storage-daemon", "nbdinfo"],
    script: `qemu-storage-daemon --daemonize --pidfile pid \\
        --blockdev driver=nbd,node-name=n,server.type=unix,server.path="$S",export="$NAME" \\
        --nbd-server addr.type=unix,addr.path="$PWD/again" --export type=nbd,id=e,node-name=n,name=e
      trap 'kill "$(cat pid)"' EXIT
      nbdinfo --size "nbd+unix:///e?socket=$PWD/again"`,
    look: (printed) => {
      equal(printed, SIZE_LINE);
    },
  }),
  scripted({
    id: "C14",
    says: "qemu-img bench: 2000 writes, 16 under way",
    needs: ["qemu-img"],
    script: 'qemu-img bench -f raw -c 2000 -d 16 -w "$U"',
  }),
  {
    id: "C15",
    says: "nbdinfo: starts a server on a socket of its own, which leaves with it",
    needs: ["nbdinfo"],
    appliesTo: ({ serveInherited }) => serveInherited !== undefined,
    check: async (target) => {
      const image = join(target.makeFolder(), "inherited.img");
      const file = openSync(image, "w");
      ftruncateSync(file, SIZE_BYTES);
      closeSync(file);
      const command = target.make.serveInherited?.(image) ?? [];
      const printed = await succeed("nbdinfo", ["--size", "--", "[", ...command, "]"]);
      equal(printed, SIZE_LINE);
      await eventually(() => {
        equal(processesWith(image).join(), "", "it is still there");
      });
    },
  },
];

/** The processes in whose command line these words are. */
function processesWith(words: string): string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(words);
    } catch {
      // It has ended in between.
      return false;
    }
  });
}
