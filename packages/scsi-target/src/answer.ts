import { BioStatus, type Bytes } from "@blkstack/bio";
import { ScsiStatus, type Sense, senseData, SenseKey, WRITE_PROTECTED } from "./sense.ts";

/** How a command ended. */
export interface ScsiAnswer {
  readonly status: ScsiStatus;
  /** Fixed-format sense data with CHECK CONDITION, else null. */
  readonly sense: Uint8Array | null;
  /**
   * How much of the caller's memory was filled or used; what the lists have beyond that was not
   * touched. 0 of a command that failed, of which some may have been moved.
   */
  readonly movedBytes: Bytes;
}

export function good(movedBytes: Bytes = 0): ScsiAnswer {
  return { status: ScsiStatus.Good, sense: null, movedBytes };
}

export function refuse(sense: Sense): ScsiAnswer {
  return { status: ScsiStatus.CheckCondition, sense: senseData(sense), movedBytes: 0 };
}

const BUSY: ScsiAnswer = { status: ScsiStatus.Busy, sense: null, movedBytes: 0 };

/** What to say of a command whose bios ended so. */
export function answerOf(
  status: BioStatus,
  movedBytes: Bytes,
  direction: "read" | "write",
): ScsiAnswer {
  switch (status) {
    case BioStatus.Ok:
      return good(movedBytes);
    case BioStatus.Resource:
    case BioStatus.DeviceResource:
    case BioStatus.Again:
    case BioStatus.DmRequeue:
      return BUSY;
    case BioStatus.Medium:
    case BioStatus.IoError:
      return refuse({ key: SenseKey.MediumError, code: direction === "read" ? 0x1100 : 0x0c00 });
    case BioStatus.ReadOnly:
      return refuse(WRITE_PROTECTED);
    case BioStatus.NoSpace:
      return refuse({ key: SenseKey.DataProtect, code: 0x2707 });
    case BioStatus.Protection:
      return refuse({ key: SenseKey.AbortedCommand, code: 0x1001 });
    case BioStatus.NotSupported:
    case BioStatus.Timeout:
    case BioStatus.Transport:
    case BioStatus.Target:
    case BioStatus.Nexus:
      return refuse({ key: SenseKey.HardwareError, code: 0x4400 });
  }
}
