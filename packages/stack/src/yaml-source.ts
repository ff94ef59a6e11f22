import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseDocument,
  type Scalar,
  type YAMLError,
} from "yaml";
import { StackError } from "./stack-error.ts";
import type { PartPath, Position, StackSource } from "./stack-source.ts";

/** The text of a stack file as values, with the place of each. */
export class YamlSource implements StackSource {
  readonly fileName: string;
  /** Plain objects, arrays, strings, numbers; whatever the text says. */
  readonly value: unknown;
  readonly #document: Document;
  readonly #lines: LineCounter = new LineCounter();
  readonly #text: string;

  /** Throws a StackError when the text is no YAML. */
  constructor(text: string, fileName: string) {
    this.fileName = fileName;
    this.#text = text;
    this.#document = parseDocument(text, {
      lineCounter: this.#lines,
      prettyErrors: false,
      logLevel: "error",
    });
    const problems = [...this.#document.errors, ...this.#document.warnings];
    const [first] = problems.sort((one, other) => one.pos[0] - other.pos[0]);
    if (first !== undefined) throw this.#syntaxError(first);
    try {
      this.value = this.#document.toJS();
    } catch (error) {
      // An alias without its anchor, or aliases that multiply without end.
      throw new StackError(fileName, this.#at(0), `not valid YAML: ${(error as Error).message}`);
    }
  }

  position(path: PartPath, of: "name" | "value" = "value"): Position {
    let node: unknown = this.#document.contents;
    let offset = startOf(node) ?? 0;
    for (const [depth, step] of path.entries()) {
      node = isAlias(node) ? node.resolve(this.#document) : node;
      if (isScalar(node)) {
        const [, word] = path.slice(depth);
        return this.#wordOf(node, Number(step), word === undefined ? 0 : Number(word));
      }
      const child: unknown = childOf(node, step);
      if (child === undefined) break;
      const isLast = depth === path.length - 1;
      node = isPair(child) ? child.value : child;
      // What holds others is found by its name; what is a value of its own, where it stands.
      const isValue = isLast && of === "value" && isScalar(node);
      const named = isPair(child) && !isValue ? child.key : node;
      offset = startOf(named) ?? startOf(isPair(child) ? child.key : child) ?? offset;
    }
    return this.#at(offset);
  }

  /** The place of a word of a line of a text; of a text that is not written line by line, its first. */
  #wordOf(node: Scalar, line: number, word: number): Position {
    const start = startOf(node) ?? 0;
    const isBlock = node.type === "BLOCK_LITERAL";
    const lineNumber = this.#lines.linePos(start).line + (isBlock ? 1 + line : 0);
    const from = isBlock ? (this.#lines.lineStarts[lineNumber - 1] ?? start) : start;
    const [written = ""] = this.#text.slice(from).split("\n", 1);
    const words = [...written.matchAll(/(?:\\.|[^\s\\])+/g)];
    const found = isBlock || line === 0 ? (words[word] ?? words[0]) : words[0];
    return this.#at(from + (found?.index ?? 0));
  }

  #at(offset: number): Position {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  #syntaxError(problem: YAMLError): StackError {
    const [start] = problem.pos;
    return new StackError(this.fileName, this.#at(start), this.#syntaxMessage(problem, start));
  }

  #syntaxMessage(problem: YAMLError, start: number): string {
    if (problem.code === "DUPLICATE_KEY") {
      const [key = ""] = /^("[^"]*"|'[^']*'|[^:\s]+)/.exec(this.#text.slice(start)) ?? [];
      const quoted = /^["']/.test(key) ? key : JSON.stringify(key);
      return `key ${quoted} is given twice; each name of a mapping must be given once`;
    }
    if (problem.code === "MULTIPLE_DOCS") {
      return "a second document begins here; a stack file should be one document";
    }
    return `not valid YAML: ${problem.message}`;
  }
}

function childOf(node: unknown, step: string | number): Pair | object | undefined {
  if (isMap(node)) {
    return node.items.find(({ key }) => String(isScalar(key) ? key.value : key) === String(step));
  }
  if (!isSeq(node)) return undefined;
  const item = node.items[Number(step)];
  return typeof item === "object" && item !== null ? item : undefined;
}

function startOf(node: unknown): number | undefined {
  return isNode(node) ? node.range?.[0] : undefined;
}
