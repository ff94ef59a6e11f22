import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

type Ranges = Readonly<Record<string, string>>;

const MANIFEST = new URL("../package.json", import.meta.url);

/**
 * Which versions the generated package takes: those that this package was made and tested with. In a
 * checkout they read `workspace:^` and `catalog:`; when it is packed, pnpm puts versions in their place.
 */
export async function testedRanges(): Promise<Ranges> {
  const { devDependencies } = JSON.parse(await readFile(MANIFEST, "utf8")) as {
    devDependencies: Ranges;
  };
  return devDependencies;
}

/** The same as ranges that mean something outside of the checkout. */
export function rangesOutside(tested: Ranges): Ranges {
  const require = createRequire(MANIFEST);
  const entries = Object.entries(tested).map(([name, range]) => {
    if (!/^(workspace|catalog):/.test(range)) return [name, range];
    const { version } = require(`${name}/package.json`) as { version: string };
    return [name, `^${version}`];
  });
  return Object.fromEntries(entries) as Ranges;
}
