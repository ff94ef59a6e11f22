import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** Only a checkout of blkstack has the floors of its packages there. */
const FLOORS = join("tooling", "layers.json");

/** The root of the checkout of blkstack that a folder is in; null: it is in none. */
export function checkoutAround(folder: string): string | null {
  if (existsSync(join(folder, FLOORS))) return folder;
  const above = dirname(folder);
  return above === folder ? null : checkoutAround(above);
}
