import { basename, dirname, resolve } from "node:path";
import {
  type DiskKinds,
  NO_FILE,
  openStack,
  parseStack,
  type Stack,
  type StackDescription,
} from "@blkstack/stack";
import { type Ground, TARGETS } from "./compose.ts";
import { loadTargets } from "./load-targets.ts";
import { readUserFile } from "./user-file.ts";

/** A stack that is described and not yet open. */
export interface StackPlan {
  readonly description: StackDescription;
  readonly baseDirectory: string;
}

/** Reads and parses a stack file; complaints name it as the user did. */
export async function readStackFile(fileName: string, cwd: string): Promise<StackPlan> {
  const text = await readUserFile("stack file", fileName, cwd);
  return {
    description: parseStack(text, fileName),
    baseDirectory: dirname(resolve(cwd, fileName)),
  };
}

/** The stack of one image file, which is the export that clients get who name none. */
export function planOfImage(fileName: string, isReadOnly: boolean, cwd: string): StackPlan {
  const name = basename(fileName);
  return {
    description: {
      targets: [],
      disks: new Map([[name, { kind: "file", path: fileName, create: false, isReadOnly }]]),
      groups: new Map(),
      devices: new Map(),
      exports: new Map([["", { device: name, isDefault: false }]]),
      source: NO_FILE,
    },
    baseDirectory: cwd,
  };
}

/** `onLog` is told what the devices have to say to people. */
export async function openPlan(
  plan: StackPlan,
  ground: Ground,
  diskKinds: DiskKinds,
  onLog: (line: string) => void = () => undefined,
): Promise<Stack> {
  const { scheduler, submitter, memory } = ground;
  const { description, baseDirectory } = plan;
  const targets = [...TARGETS, ...(await loadTargets(plan, TARGETS))];
  const surroundings = { scheduler, submitter, memory, diskKinds, baseDirectory, onLog };
  return openStack(description, { ...surroundings, targets });
}
