// Lets node run the sources as they are, in worker threads too: `node --import THIS FILE …`.
import { readFile } from "node:fs/promises";
import { register } from "node:module";
import { fileURLToPath } from "node:url";
import ts from "typescript";

if (!import.meta.url.endsWith("#hooks")) register(`${import.meta.url}#hooks`);

export async function load(url, context, nextLoad) {
  if (!url.endsWith(".ts")) return nextLoad(url, context);
  const text = await readFile(fileURLToPath(url), "utf8");
  const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2023 };
  const { outputText } = ts.transpileModule(text, { compilerOptions: options });
  return { format: "module", source: outputText, shortCircuit: true };
}
