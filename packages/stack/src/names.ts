/** The longest name, in bytes of UTF-8. */
const NAME_MAX_BYTES = 127;

/** What is wrong with the name of a disk, a device, a group or an export; undefined when nothing is. */
export function nameProblem(name: string): string | undefined {
  const quoted = JSON.stringify(name);
  if (name === "") return `the name ${quoted} is empty; it should have 1 to 127 bytes`;
  if (name.includes("/")) return `the name ${quoted} has a "/"; a name is no path, leave it out`;
  // eslint-disable-next-line no-control-regex -- names go into lines of text, which these would break
  if (/[\u0000-\u001f\u007f]/.test(name)) {
    return `the name ${quoted} has a control character; only printable ones may be in a name`;
  }
  const bytes = new TextEncoder().encode(name).length;
  if (bytes <= NAME_MAX_BYTES) return undefined;
  return `the name ${quoted} has ${String(bytes)} bytes; it should have at most 127`;
}
