import type { GoldenOp } from "./case-file.ts";

/** Output as lines; some was recorded as a list in the writing of another language. */
export function linesOf(output: GoldenOp["output"] | string): readonly string[] {
  if (typeof output !== "string") return output ?? [];
  return [...output.matchAll(/'(?<line>[^']*)'/g)].map(({ groups }) => groups?.["line"] ?? "");
}

/** What goes on in the background has as long as it had. */
export async function passTime(command: string): Promise<void> {
  const seconds = /^sleep (?<seconds>\d+)$/.exec(command)?.groups?.["seconds"];
  if (seconds !== undefined)
    await new Promise((resolve) => setTimeout(resolve, Number(seconds) * 1000));
}

/** As file names of devices are written: what is no plain character becomes `\xHH`. */
export function mangled(name: string): string {
  return name.replace(/[^\w#+\-.:=@]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
  });
}
