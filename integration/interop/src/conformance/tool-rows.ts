import { equal, match } from "node:assert/strict";
import { run } from "../tools.ts";
import type { Row } from "./row.ts";

/** A row of a shell command that must succeed, and print something like this. */
function shell(id: string, command: string, prints = /(?:)/): Row {
  return {
    id,
    says: command,
    check: async (target) => {
      const environment = [...(["U", "disk", "UR", "kept", "UB", "big"] as const)];
      const sets = [0, 2, 4].map((at) => {
        const [name, role] = [environment[at], environment[at + 1]];
        return `${String(name)}='${target.uri(role as "disk")}'`;
      });
      const script = `set -e; ${sets.join(" ")}; S='${target.socket("disk")}'; T=$(mktemp -d); trap 'rm -r $T' EXIT; ${command}`;
      const { status, stdout, stderr } = await run("sh", ["-c", script], { timeoutMs: 60_000 });
      equal(status, 0, stderr.slice(0, 200));
      match(stdout, prints);
    },
  };
}

const FIO = "fio --name=w --ioengine=nbd --uri=$U --size=16m --output-format=terse";

export const TOOL_ROWS: readonly Row[] = [
  shell("A01", "nbdinfo --json --no-content $U", /newstyle-fixed[^]*"structured": true/),
  shell("A02", "nbdinfo --size $U", /^67108864$/m),
  shell("A03", "nbdinfo --list --json $U", /67108864/),
  shell("A04", "nbdinfo --can structured-reply $U"),
  shell("A05", "nbdinfo --can multi-conn $U"),
  shell("A06", "nbdinfo --can df $U"),
  shell("A07", "nbdinfo --can fast-zero $U"),
  shell("A08", "nbdinfo --can cache $U"),
  shell("A09", "nbdinfo --is read-only $UR; ! nbdinfo --can write $UR"),
  shell("A11", "nbdinfo --map --totals $UR", /100\.0%.*hole,zero/),
  shell("A12", '! nbdinfo --size "nbd+unix:///nosuch?socket=$S" 2>$T/err'),
  shell("A13", "qemu-nbd --list -k $S", /base:allocation/),
  shell("A14", "qemu-img info --output=json $U", /"virtual-size": 67108864/),
  shell(
    "A15",
    `nbdsh -c 'h.set_opt_mode(True)' --uri $U -c 'h.opt_list_meta_context(lambda n: print(n))'`,
    /base:allocation/,
  ),
  shell(
    "A17",
    `nbdsh -c 'h.set_request_structured_replies(False)' --uri $U -c 'print(len(h.pread(512, 0)))'`,
    /512/,
  ),
  shell("A18", `nbdsh -c 'h.set_handshake_flags(0)' --uri $U -c 'print(h.get_size())'`, /67108864/),
  shell("Q01", "qemu-io -f raw -c 'write -P 0xaa 1M 1M' -c 'read -P 0xaa 1M 1M' $U"),
  shell("Q02", "qemu-io -f raw -c 'write -P 0x11 4095 2' -c 'read -P 0x11 4095 2' $U"),
  shell(
    "Q03",
    "qemu-io -f raw -d unmap -c 'write -z 0 1M' -c 'write -z -u 1M 1M' -c 'read -P 0 0 2M' -c 'discard 0 1M' -c flush $U",
  ),
  shell("Q04", "qemu-io -f raw -t none -c 'write -f 0 64k' $U"),
  shell("Q05", "! qemu-io -f raw -c 'read 64M 512' $U"),
  shell("Q07", "qemu-io -f raw -c map $U"),
  shell(
    "C01",
    "head -c 67108864 /dev/urandom >$T/a; qemu-img convert -n -f raw -O raw $T/a $U; qemu-img compare -f raw -F raw $T/a $U",
  ),
  shell(
    "C02",
    "qemu-img convert -f raw -O qcow2 $U $T/q; qemu-img check $T/q; qemu-img compare -f raw -F qcow2 $U $T/q",
  ),
  shell(
    "C05",
    "head -c 67108864 /dev/urandom >$T/a; nbdcopy $T/a $U; nbdcopy $U $T/b; cmp $T/a $T/b",
  ),
  shell("C06", "nbdcopy --connections=4 --requests=32 $U $T/a; nbdcopy $U $T/b; cmp $T/a $T/b"),
  shell("C10", "nbdkit -U - nbd uri=$U --run 'nbdinfo --size $uri'", /67108864/),
  shell("C14", "qemu-img bench -f raw -c 2000 -d 16 -w $U"),
  shell("F01", `${FIO} --rw=randwrite --bs=4k --iodepth=16 --verify=crc32c --do_verify=1`),
  shell("F02", `${FIO} --rw=randrw --bsrange=512-128k --iodepth=32 --fsync=16 --verify=crc32c`),
  shell("F04", `${FIO} --rw=randtrim --bs=4k --iodepth=16`),
  shell(
    "T27",
    `nbdsh -c 'h.add_meta_context("base:allocation")' --uri $UB -c 'for o in (0, 1, 2): h.block_status(2**32-1, o, lambda c, at, e, err: print(all(e[0::2])))'`,
    /^True\nTrue\nTrue/,
  ),
];
