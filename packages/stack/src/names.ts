/** The longest name, in bytes of UTF-8. */
const NAME_MAX_BYTES = 127;
/** What the protocol allows. */
const EXPORT_NAME_MAX_BYTES = 4096;

/** What is wrong with the name of a disk or a device; undefined when nothing is. */
export function nameProblem(name: string): string | undefined {
  const quoted = JSON.stringify(name);
  if (name === "") return `the name ${quoted} is empty; it should have 1 to 127 bytes`;
  if (name.includes("/")) return `the name ${quoted} has a "/"; a name is no path, leave it out`;
  return textProblem(name, NAME_MAX_BYTES);
}

/**
 * The same of an export, which is called as its clients call it. Many say `/`; the empty name is the
 * export that clients get who name none.
 */
export function exportNameProblem(name: string): string | undefined {
  return textProblem(name, EXPORT_NAME_MAX_BYTES);
}

function textProblem(name: string, maxBytes: number): string | undefined {
  const quoted = JSON.stringify(name);
  // eslint-disable-next-line no-control-regex -- names go into lines of text, which these would break
  if (/[\u0000-\u001f\u007f]/.test(name)) {
    return `the name ${quoted} has a control character; only printable ones may be in a name`;
  }
  const bytes = new TextEncoder().encode(name).length;
  if (bytes <= maxBytes) return undefined;
  return `the name ${quoted} has ${String(bytes)} bytes; it should have at most ${String(maxBytes)}`;
}

/** The same of a group, of which `a/b` is below `a`. */
export function groupNameProblem(name: string, groups: ReadonlySet<string>): string | undefined {
  for (const part of name.split("/")) {
    const problem = nameProblem(part);
    if (problem !== undefined)
      return `${problem} (in the name of the group ${JSON.stringify(name)})`;
  }
  const parent = parentOf(name);
  if (parent === undefined || groups.has(parent)) return undefined;
  return `the group ${JSON.stringify(name)} is below ${JSON.stringify(parent)}, which is not there; add that to groups`;
}

/** The name of the group above; undefined: there is none. */
export function parentOf(name: string): string | undefined {
  const end = name.lastIndexOf("/");
  return end < 0 ? undefined : name.slice(0, end);
}

/** Names of groups in their order, but none before the group above it. */
export function parentsFirst(names: Iterable<string>): string[] {
  const wanted = new Set(names);
  const ordered = new Set<string>();
  const add = (name: string): void => {
    const parent = parentOf(name);
    if (parent !== undefined && wanted.has(parent)) add(parent);
    ordered.add(name);
  };
  for (const name of wanted) add(name);
  return [...ordered];
}
