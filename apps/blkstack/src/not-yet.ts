import { Option } from "commander";
import { UserError } from "./user-error.ts";

/** An option that is part of the contract and comes with a later version. */
export function optionNotYet(flags: string): Option {
  const [name = flags] = flags.split(" ");
  return new Option(flags).hideHelp().argParser(() => {
    throw new UserError(`${name} is not in this version of blkstack; leave it out`);
  });
}
