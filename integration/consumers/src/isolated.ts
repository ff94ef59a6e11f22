import { mkdir, realpath, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Packed } from "./packed.ts";

/**
 * Gives each unpacked package what its package.json names, and nothing else: its dependencies and the
 * peers that it cannot do without lie beside it, ours unpacked, those of others as the checkout has them.
 */
export async function isolate(packages: readonly Packed[]): Promise<void> {
  const ours = new Map(packages.map(({ name, contents }) => [name, contents]));
  for (const { name, contents, folder, manifest } of packages) {
    const beside = contents.slice(0, -name.length);
    for (const needed of namedBy(manifest)) {
      const link = join(beside, needed);
      await mkdir(dirname(link), { recursive: true });
      const target = ours.get(needed) ?? (await realpath(join(folder, "node_modules", needed)));
      await symlink(target, link, "dir");
    }
  }
}

/** Its dependencies and all its peers: an entry point that needs an optional one must find it. */
function namedBy({ dependencies, peerDependencies }: Packed["manifest"]): string[] {
  return Object.keys({ ...dependencies, ...peerDependencies });
}

/** What of a package can be imported: `@blkstack/task/node`. */
export function entriesOf({ name, manifest }: Packed): string[] {
  return Object.keys(manifest.exports ?? {})
    .filter((path) => !path.endsWith(".json"))
    .map((path) => name + path.slice(1));
}
