import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Bio, bioEndio, BioOp, BioStatus, createVecs, type Page } from "@blkstack/bio";
import { type BlockDevice, defaultLimits, RequestQueue } from "@blkstack/block";
import { DiskRig } from "@blkstack/conformance";
import type { DeviceMapper } from "@blkstack/device-mapper";
import type { InterruptSource } from "@blkstack/task";
import { VirtualScheduler } from "@blkstack/task/virtual";
import { bounce } from "../src/index.ts";

const SECTORS = 512;

/** A file past the page cache, in the fewest words, that ends its bios when it is told. */
class DirectFile implements BlockDevice, InterruptSource<Bio> {
  readonly name = "raw";
  readonly label = "disk raw";
  readonly deviceNumber = "7:0";
  readonly sizeSectors = SECTORS;
  readonly isReadOnly = false;
  readonly queue: RequestQueue = new RequestQueue("raw", {
    ...defaultLimits(),
    hasVolatileCache: true,
  });
  readonly #scheduler: VirtualScheduler;
  readonly #fd: number;
  /** The bios that came, how many pieces of memory each had. */
  readonly pieces: number[] = [];

  constructor(scheduler: VirtualScheduler, path: string) {
    this.#scheduler = scheduler;
    fs.writeFileSync(path, new Uint8Array(SECTORS * 512));
    this.#fd = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_DIRECT);
  }

  blockers(): readonly object[] {
    return [];
  }

  submitBio(bio: Bio): void {
    if (bio.sizeBytes > 0) bio.status = this.#move(bio);
    this.#scheduler.raise(this, bio);
  }

  handleInterrupt(bio: Bio): void {
    bioEndio(bio);
  }

  close(): void {
    fs.closeSync(this.#fd);
  }

  #move(bio: Bio): BioStatus {
    const views: Uint8Array[] = [];
    let skip = bio.vecDoneBytes;
    let left = bio.sizeBytes;
    for (let index = bio.vecIndex; left > 0; index += 1) {
      const { page, offset, length } = bio.vecs[index] ?? {
        page: { bytes: new Uint8Array(), frame: 0 },
        offset: 0,
        length: 0,
      };
      const bytes = Math.min(length - skip, left);
      views.push(page.bytes.subarray(offset + skip, offset + skip + bytes));
      left -= bytes;
      skip = 0;
    }
    this.pieces.push(views.length);
    try {
      const move = bio.op === BioOp.Read ? fs.readvSync : fs.writevSync;
      move(this.#fd, views, bio.sector * 512);
      return BioStatus.Ok;
    } catch {
      return BioStatus.IoError;
    }
  }
}

/** A mapped device `md` with one line over a file past the page cache. */
export class Setting {
  readonly scheduler = new VirtualScheduler({ interrupts: "queued" });
  readonly folder: string = fs.mkdtempSync(join(tmpdir(), "bounce-"));
  readonly #rig = new DiskRig(this.scheduler, { types: [bounce] });
  readonly dm: DeviceMapper = this.#rig.dm;
  readonly disk: DirectFile = this.#rig.add(
    new DirectFile(this.scheduler, join(this.folder, "image")),
  );

  async create(table: string): Promise<void> {
    await this.scheduler.perform("create", (task) => this.dm.create("md", task, { table }));
  }

  /** What is said against a table. */
  refusal(table: string): Promise<string> {
    return this.create(table).then(
      () => "taken",
      (error: unknown) => (error as Error).message,
    );
  }

  /** Sends bios at once, from a task each; answers how they ended. */
  async send(...bios: readonly Bio[]): Promise<(BioStatus | null)[]> {
    const ends: (BioStatus | null)[] = bios.map(() => null);
    for (const [index, bio] of bios.entries()) {
      bio.device = this.dm.get("md");
      bio.endIo = ({ status }) => {
        ends[index] = status;
      };
      this.scheduler.spawn(`sender-${String(index)}`, (task) =>
        this.#rig.submitter.submitBio(bio, task),
      );
    }
    await this.scheduler.run();
    return ends;
  }

  /** Takes the device away, and the file. */
  async close(): Promise<void> {
    await this.scheduler.perform("remove", (task) => this.dm.remove("md", task));
    this.disk.close();
    fs.rmSync(this.folder, { recursive: true });
  }
}

/** A bio at `sector` over these stretches of memory. */
export function bioOver(
  op: BioOp,
  sector: number,
  ...stretches: readonly (readonly [page: Page, offset: number, length: number])[]
): Bio {
  const bio = new Bio();
  bio.op = op;
  bio.sector = sector;
  bio.vecs = createVecs(stretches.length);
  bio.vecMax = stretches.length;
  for (const [page, offset, length] of stretches) bio.addPage(page, length, offset);
  return bio;
}

/** Memory as the language gives it: anywhere. */
export function anywhere(bytes: number, fill = 0): Page {
  return { bytes: new Uint8Array(bytes).fill(fill), frame: 0 };
}
