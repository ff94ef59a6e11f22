import { IoKind } from "@blkstack/block";
import { Command } from "./wire.ts";

/** What a request counts as. */
export function kindOfCommand(command: number): IoKind {
  switch (command) {
    case Command.Read:
      return IoKind.Read;
    case Command.Write:
      return IoKind.Write;
    case Command.Flush:
      return IoKind.Flush;
    case Command.Trim:
      return IoKind.Discard;
    case Command.WriteZeroes:
      return IoKind.Zero;
    default:
      return IoKind.Other;
  }
}
