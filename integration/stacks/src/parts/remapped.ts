import { BioOp, BioStatus, SECTOR_BYTES, type Sectors } from "@blkstack/bio";
import type { ModelAnswer, ModelRequest } from "@blkstack/conformance";
import type { LineModel, ModelDevice } from "../stack-part.ts";

/** A sector of what a line stands on. */
export interface ModelPlace {
  readonly device: ModelDevice;
  readonly sector: Sectors;
}

export function isFlush({ op, sectors }: ModelRequest): boolean {
  return sectors === 0 && op === BioOp.Write;
}

/** The model of a line each of whose sectors lies somewhere below; a flush goes to all of `devices`. */
export function remapped(
  placeOf: (sector: Sectors) => ModelPlace,
  devices: readonly ModelDevice[],
): LineModel {
  return {
    serve(request) {
      if (isFlush(request)) return flushAll(devices, request);
      const answer = new JoinedAnswer(request);
      for (let done = 0; done < request.sectors;) {
        const { device, sector } = placeOf(request.sector + done);
        let sectors = 1;
        while (done + sectors < request.sectors) {
          const next = placeOf(request.sector + done + sectors);
          if (next.device !== device || next.sector !== sector + sectors) break;
          sectors += 1;
        }
        answer.add(device, { from: done, sectors, sector });
        done += sectors;
      }
      return answer;
    },
  };
}

/** The model of a line that lies below as it is, from `startSector` on. */
export function shifted(device: ModelDevice, startSector: Sectors): LineModel {
  return remapped((sector) => ({ device, sector: startSector + sector }), [device]);
}

export function flushAll(
  devices: readonly Pick<ModelDevice, "serve">[],
  request: ModelRequest,
): ModelAnswer {
  let status: BioStatus = BioStatus.Ok;
  for (const device of devices) {
    const answer = device.serve({ ...request, sector: 0 });
    if (answer.status !== BioStatus.Ok) status = answer.status;
  }
  return { status, bytes: null };
}

/** Where a part of a request goes. */
interface Piece {
  /** Sectors of the request before it. */
  readonly from: Sectors;
  readonly sectors: Sectors;
  /** Where it goes to below. */
  readonly sector: Sectors;
}

/** What comes of a request that is cut: all pieces are done, and one that fails fails the whole. */
export class JoinedAnswer implements ModelAnswer {
  status: BioStatus = BioStatus.Ok;
  readonly #request: ModelRequest;
  readonly #found: Uint8Array | null;

  constructor(request: ModelRequest) {
    this.#request = request;
    const isRead = request.op === BioOp.Read;
    this.#found = isRead ? new Uint8Array(request.sectors * SECTOR_BYTES) : null;
  }

  get bytes(): Uint8Array | null {
    return this.status === BioStatus.Ok ? this.#found : null;
  }

  add(to: Pick<ModelDevice, "serve">, { from, sectors, sector }: Piece): void {
    const request = this.#request;
    const begin = from * SECTOR_BYTES;
    const bytes = request.bytes.subarray(begin, begin + sectors * SECTOR_BYTES);
    const answer = to.serve({ ...request, sector, sectors, bytes });
    if (answer.status !== BioStatus.Ok) this.status = answer.status;
    else if (answer.bytes !== null) this.#found?.set(answer.bytes, begin);
  }
}
