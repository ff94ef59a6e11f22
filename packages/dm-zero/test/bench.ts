import type { BioStatus } from "@blkstack/bio";
import { Bio, bioEndio, type BioOp, createVecs, opName } from "@blkstack/bio";
import {
  type BlockDevice,
  BlockError,
  RequestQueue,
  stackingLimits,
  type TargetType,
} from "@blkstack/block";
import { DeviceMapper, TargetRegistry } from "@blkstack/device-mapper";
import { MakeRequest } from "@blkstack/make-request";
import { Memory } from "@blkstack/memory";
import { VirtualScheduler } from "@blkstack/task/virtual";

/** A disk that only writes down what comes. */
class LogDisk implements BlockDevice {
  readonly name: string;
  readonly sizeSectors = 100;
  readonly isReadOnly = false;
  readonly deviceNumber: string;
  readonly queue: RequestQueue;
  readonly log: string[] = [];

  constructor(name: string, deviceNumber: string) {
    this.name = name;
    this.deviceNumber = deviceNumber;
    this.queue = new RequestQueue(name, {
      ...stackingLimits(),
      maxDiscardSectors: 1000,
      discardGranularityBytes: 512,
      hasVolatileCache: true,
    });
  }

  submitBio(bio: Bio): void {
    this.log.push(`${opName(bio.op)} ${String(bio.sector)}+${String(bio.sectors)}`);
    bioEndio(bio);
  }
}

/** Two disks, and a mapped device `md` over them. */
export class Bench {
  readonly scheduler = new VirtualScheduler();
  readonly a = new LogDisk("a", "7:0");
  readonly b = new LogDisk("b", "7:16");
  readonly dm: DeviceMapper;
  readonly #submitter = new MakeRequest();

  constructor(type: TargetType) {
    this.dm = new DeviceMapper({
      scheduler: this.scheduler,
      memory: new Memory({ scheduler: this.scheduler }),
      submitter: this.#submitter,
      registry: new TargetRegistry([type]),
      lookup: (name) => {
        const disk = [this.a, this.b].find((each) => each.name === name);
        if (disk !== undefined) return disk;
        throw new BlockError("BLK_DEVICE", "ENODEV", `there is no device "${name}"`);
      },
    });
  }

  async create(...lines: string[]): Promise<void> {
    const table = lines.join("\n");
    await this.scheduler.perform("create", (task) => this.dm.create("md", task, { table }));
  }

  /** The message that a table is refused with. */
  async refusal(...lines: string[]): Promise<string> {
    const table = lines.join("\n");
    return this.scheduler.perform("create", (task) =>
      this.dm.create("md", task, { table }).then(
        () => "taken",
        (error: unknown) => (error as Error).message,
      ),
    );
  }

  /** How a bio ended, and the bytes that it moved. */
  async send(
    op: BioOp,
    [sector, sectors]: readonly [sector: number, sectors: number],
    flags = 0,
  ): Promise<{ status: BioStatus | null; bytes: Uint8Array }> {
    const bytes = new Uint8Array(sectors * 512).fill(0xee);
    const bio = new Bio();
    const end: { status: BioStatus | null; bytes: Uint8Array } = { status: null, bytes };
    Object.assign(bio, { device: this.dm.get("md"), op, sector, flags });
    bio.vecs = createVecs(1);
    bio.vecMax = 1;
    if (sectors > 0) bio.addPage({ bytes, frame: 0 }, bytes.length, 0);
    bio.endIo = ({ status }) => {
      end.status = status;
    };
    await this.scheduler.perform("send", async (task) => this.#submitter.submitBio(bio, task));
    return end;
  }
}
