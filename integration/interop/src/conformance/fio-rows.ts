import { equal, ok } from "node:assert/strict";
import { Command, readReply, request } from "../raw-protocol.ts";
import { succeed } from "../tools.ts";
import type { Row } from "./row.ts";
import type { Target } from "./target.ts";

const MIB = 1024 * 1024;
const VERIFY = ["--verify=crc32c", "--verify_fatal=1", "--randrepeat=1"];
const RANDOM_WRITES = ["--rw=randwrite", "--bs=4k", "--iodepth=16"];

interface Report {
  readonly jobs: readonly {
    readonly error: number;
    readonly read: { readonly total_ios: number };
    readonly write: { readonly total_ios: number };
    readonly trim: { readonly total_ios: number };
  }[];
}

/** Runs `fio` on the image; answers what each job has done, none of which may fail. */
async function fio(target: Target, ...args: readonly string[]): Promise<Report["jobs"]> {
  const common = ["--name=row", "--ioengine=nbd", `--uri=${target.uri("disk")}`];
  const printing = ["--verify_state_save=0", "--output-format=json"];
  const printed = await succeed("fio", [...common, ...printing, ...args]);
  const { jobs } = JSON.parse(printed.slice(printed.indexOf("{"))) as Report;
  for (const { error } of jobs) equal(error, 0);
  return jobs;
}

/** What `fio` writes at random and reads back. */
export const FIO_ROWS: readonly Row[] = [
  {
    id: "F01",
    says: "fio: 4 KiB at random, 16 under way, read back",
    needs: ["fio"],
    check: async (target) => {
      const [job] = await fio(target, ...RANDOM_WRITES, ...VERIFY, "--do_verify=1", "--size=64m");
      equal(job?.write.total_ios, 16_384);
      equal(job.read.total_ios, 16_384);
    },
  },
  {
    id: "F02",
    says: "fio: reads and writes of 512 bytes to 128 KiB, 32 under way, flushes",
    needs: ["fio"],
    check: async (target) => {
      const load = ["--rw=randrw", "--bsrange=512-128k", "--bs_unaligned=0", "--iodepth=32"];
      const verify = ["--verify=xxhash", "--verify_fatal=1", "--do_verify=1"];
      const [job] = await fio(target, ...load, ...verify, "--fsync=16", "--size=64m");
      ok((job?.write.total_ios ?? 0) > 0, "nothing is written");
    },
  },
  {
    id: "F03",
    says: "fio: four jobs, each on its quarter, with a connection each",
    needs: ["fio"],
    check: async (target) => {
      const quarters = ["--numjobs=4", "--size=16m", "--offset_increment=16m"];
      const jobs = await fio(target, ...RANDOM_WRITES, ...VERIFY, "--do_verify=1", ...quarters);
      equal(jobs.map(({ read }) => read.total_ios).join(), "4096,4096,4096,4096");
    },
  },
  {
    id: "F04",
    says: "fio: trims at random",
    needs: ["fio"],
    check: async (target) => {
      const [job] = await fio(target, "--rw=randtrim", "--bs=64k", "--iodepth=16", "--size=64m");
      equal(job?.trim.total_ios, 1024);
    },
  },
  {
    id: "F05",
    says: "fio: what was flushed is there after a kill -9 with writes under way",
    needs: ["fio"],
    check: async (target) => {
      const written = [...RANDOM_WRITES, ...VERIFY, "--size=32m"];
      await fio(target, ...written, "--do_verify=0", "--end_fsync=1");
      const client = await target.open("disk");
      for (let index = 0; index < 64; index += 1) {
        const length = MIB / 4;
        const offset = 32 * MIB + index * length;
        const head = request({ command: Command.Write, offset, length, cookie: index });
        client.send(head, Buffer.alloc(length, index));
      }
      await readReply(client);
      await target.end("disk", "SIGKILL");
      client.vanish();
      await target.ready();
      const [job] = await fio(target, ...written, "--verify_only");
      equal(job?.read.total_ios, 8192);
    },
  },
];
