import { writeFileSync } from "node:fs";

/** Makes a file without holes. */
export function makeImage(path: string, mebibytes: number): void {
  const mebibyte = Buffer.alloc(1 << 20, 0x5a);
  for (let done = 0; done < mebibytes; done += 1) writeFileSync(path, mebibyte, { flag: "a" });
}
