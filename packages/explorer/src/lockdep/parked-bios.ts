import { type Bio, type BioList, isBio } from "@blkstack/bio";
import type { Task, Waitable } from "@blkstack/task";

/** What is waited for when the bio is: an element of its pool, or its end at its device. */
function labelsOf({ pool, device }: Bio): readonly string[] {
  const labels = pool === null ? [] : [pool.label];
  return device === null ? labels : [...labels, endLabel(device.name)];
}

function endLabel(device: string): string {
  return `the end of a bio for ${device}`;
}

/** What cannot come while the task sleeps: its parked bios start when its driver call returns. */
export function keptBackBy({ bioLists }: Task): ReadonlySet<string> {
  const labels = new Set<string>();
  if (bioLists === null) return labels;
  const add = (list: BioList): void => {
    for (const bio of list) for (const label of labelsOf(bio)) labels.add(label);
  };
  add(bioLists.current);
  add(bioLists.older);
  return labels;
}

/** The end of which bio is waited for; null: of none, or of any of several. */
export function awaitedEnd(on: Waitable): string | null {
  const [first, ...others] = on.blockers();
  if (first === undefined || others.length > 0 || !isBio(first)) return null;
  return first.device === null ? null : endLabel(first.device.name);
}
