import * as fs from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Bytes } from "@blkstack/bio";
import { FileDisk, type Files } from "@blkstack/disk-file";
import { CrashDisk, type CrashPoint, type CrashState, LogReader } from "@blkstack/dm-log-writes";
import { formatNbdUri, NbdServer } from "@blkstack/nbd";
import { runInTask } from "@blkstack/stack";
import { type Ground, makeGround } from "../compose.ts";
import { ImageFile } from "../image-file.ts";
import { UserError } from "../user-error.ts";
import { runCaptured } from "./run-captured.ts";
import { ScratchImage } from "./scratch-image.ts";

/** A file that is thrown away need not be durable. */
const SCRATCH_FILES: Files = {
  ...fs,
  fdatasync(_fd, done) {
    done(null);
  },
};

/** What shells say of a command that they cannot run. */
const CANNOT_RUN: ReadonlySet<number> = new Set([126, 127]);

export interface CheckBenchOptions {
  readonly command: string;
  /** How long it may take for one state. */
  readonly timeoutMs: number;
  readonly logPath: string;
  readonly basePath: string;
  readonly sizeBytes: Bytes;
  /** Of its own. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly signal: AbortSignal;
}

/** How the check of one state ended. */
export interface Checked {
  readonly isWell: boolean;
  readonly status: number;
  readonly output: string;
  /** Whether it was stopped because it took too long. */
  readonly isLate: boolean;
}

/** Where one check after the other is run, on a disk that is rebuilt going forward in the log. */
export class CheckBench {
  readonly #options: CheckBenchOptions;
  readonly #ground: Ground;
  readonly #log: ImageFile;
  readonly #image: ScratchImage;
  readonly #disk: CrashDisk;
  readonly #server: NbdServer;
  readonly #socket: string;
  /** How many points it has gone on to. */
  #points = 0;

  private constructor(
    options: CheckBenchOptions,
    parts: {
      ground: Ground;
      log: ImageFile;
      image: ScratchImage;
      disk: CrashDisk;
      server: NbdServer;
    },
  ) {
    this.#options = options;
    this.#ground = parts.ground;
    this.#log = parts.log;
    this.#image = parts.image;
    this.#disk = parts.disk;
    this.#server = parts.server;
    this.#socket = join(options.folder, "nbd.sock");
  }

  static async open(options: CheckBenchOptions): Promise<CheckBench> {
    const { folder, logPath, basePath, sizeBytes } = options;
    await mkdir(folder);
    const log = await ImageFile.open("log", logPath, "/");
    const image = await ScratchImage.make(basePath, folder, sizeBytes);
    const disk = new CrashDisk(await LogReader.open(log), image);
    const ground = makeGround();
    const server = new NbdServer({ ...ground, exports: [] });
    await server.listen({ unix: join(folder, "nbd.sock") });
    return new CheckBench(options, { ground, log, image, disk, server });
  }

  /** Checks a state of the point of this index, which is not before that of the last state. */
  async check(points: readonly CrashPoint[], index: number, state: CrashState): Promise<Checked> {
    await this.rebuild(points, index, state);
    const { point, lost } = state;
    await this.#image.lend();
    const device = await FileDisk.open({
      name: "disk",
      path: this.#image.path,
      scheduler: this.#ground.scheduler,
      files: SCRATCH_FILES,
    });
    this.#server.addExport({ name: "", device });
    const { command, timeoutMs, env, cwd, signal } = this.#options;
    const variables = {
      uri: formatNbdUri({ unix: this.#socket, exportName: "" }),
      unixsocket: this.#socket,
      exportname: "",
      image: this.#image.path,
      mark: point.mark?.text ?? "",
      point: String(point.afterEntry),
      lost: String(lost.length),
    };
    try {
      const { status, output, isLate } = await runCaptured(command, {
        env: { ...env, ...variables },
        cwd,
        signal,
        timeoutMs,
      });
      if (CANNOT_RUN.has(status)) {
        throw new UserError(`the check cannot be run: ${output.trim()}`);
      }
      return { isWell: status === 0 && !isLate, status, output, isLate };
    } finally {
      await runInTask(this.#ground.scheduler, "end of a check", (task) =>
        this.#server.removeExport("", task, { force: true }),
      );
      await device.close();
      await this.#image.takeBack();
    }
  }

  /** Makes the disk what it is in a state, as `check` does. */
  async rebuild(points: readonly CrashPoint[], index: number, state: CrashState): Promise<void> {
    for (const point of points.slice(this.#points, index + 1)) await this.#disk.advance(point);
    this.#points = Math.max(this.#points, index + 1);
    await this.#disk.show(state);
  }

  /** Keeps the disk as it was rebuilt last. */
  keep(path: string): Promise<void> {
    return this.#image.copyTo(path);
  }

  async close(): Promise<void> {
    await this.#server.close();
    await this.#image.close();
    await this.#log.close();
  }
}
