/** A block of a page: a file to be written, or commands to be run and what they print. */
export type Block =
  | { readonly kind: "file"; readonly name: string; readonly text: string }
  | { readonly kind: "run"; readonly commands: string; readonly output: string }
  | { readonly kind: "shown"; readonly commands: string };

const FENCED =
  /(?:<!-- (?<mark>file: (?<name>\S+)|run) -->\n\n)?```(?<language>yaml|sh)\n(?<text>[^]*?)```\n(?:\n```text\n(?<output>[^]*?)```\n)?/g;

/** The blocks of a page in their order. */
export function blocksOf(page: string): Block[] {
  return [...page.matchAll(FENCED)].map(({ groups = {} }): Block => {
    const { mark = "", name = "", text = "", output = "" } = groups;
    if (name !== "") return { kind: "file", name, text };
    return mark === "run"
      ? { kind: "run", commands: text, output }
      : { kind: "shown", commands: text };
  });
}

const MARK = "--- next block ---";

/** One shell script that does all that a page says, as a reader would: the blocks share a shell. */
export function scriptOf(blocks: readonly Block[]): string {
  const parts = blocks.map((block) => {
    if (block.kind === "shown") return "";
    if (block.kind === "run") return `${block.commands}echo '${MARK}'\n`;
    return `cat >${block.name} <<'END-OF-FILE'\n${block.text}END-OF-FILE\n`;
  });
  return ["exec 2>&1", ...parts].join("\n");
}

/** What each block that was run has printed. */
export function outputsOf(printed: string): string[] {
  return printed.split(`${MARK}\n`).slice(0, -1);
}
