import type { Finding } from "./finding.ts";

/**
 * What two failures have in common when they are the same for people: the kind, and the kinds of
 * the things that it names. Which of several equal tasks, bios or sectors it was makes no difference.
 */
export function signatureOf(finding: Finding | null): string | null {
  if (finding === null) return null;
  const names = finding.message.split(" -> ").map(withoutNumbers);
  return `${finding.kind}: ${[...new Set(names)].sort().join(" -> ")}`;
}

function withoutNumbers(name: string): string {
  return name.replaceAll(/\d+/g, "").trim();
}
