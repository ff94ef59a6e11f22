import type { Finding } from "./finding.ts";

/** Between the names that a message lists: round a circle, or side by side. */
const BETWEEN_NAMES = / -> |, |; /;

/**
 * What two failures have in common when they are the same for people: the kind, and the kinds of
 * the things that it names. Which of several equal tasks, bios or sectors it was makes no
 * difference, nor how many of them.
 */
export function signatureOf(finding: Finding | null): string | null {
  if (finding === null) return null;
  const message = finding.message.replace(/ cannot go on$/, "");
  const names = message.split(BETWEEN_NAMES).map(withoutNumbers);
  return `${finding.kind}: ${[...new Set(names)].sort().join(" -> ")}`;
}

function withoutNumbers(name: string): string {
  return name.replaceAll(/\d+/g, "").trim();
}
