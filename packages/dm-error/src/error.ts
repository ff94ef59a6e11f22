import { defineTarget, MapResult, type Target, type TargetType } from "@blkstack/block";

/** Fails every bio of its range. Takes any arguments and heeds none; a flush passes by it. */
export const error: TargetType = defineTarget({
  name: "error",
  version: [1, 5, 0],
  apiVersion: 1,
  create: () => new Failing(),
});

class Failing implements Target {
  readonly takesNoWait = true;

  /** Waits: never. */
  map(): MapResult {
    return MapResult.Kill;
  }

  status(): string {
    return "";
  }
}
