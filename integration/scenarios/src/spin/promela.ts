import { type Answer, isQuestion, type StepTables } from "../counts/step-tables.ts";

/**
 * A program in the language of SPIN, one process for each task and one atomic step for each of its
 * steps, so that SPIN meets the same states. The tables must know every step (they do once all
 * states were walked). A process that need not end may be left anywhere.
 */
export function promelaOf(tables: StepTables): string {
  const lines = tables.cellLabels.map((label, cell) => {
    return `short c${String(cell)} = ${String(tables.valueOf(cell, 0))}; /* ${label} */`;
  });
  for (const [index, { name, isService, positions }] of tables.tasks.entries()) {
    lines.push(`active proctype task${String(index)}() { /* ${name} */`);
    const labels = positions.map(({ uses }, position) => {
      const mayStay = isService || uses === null;
      return `${mayStay ? "end_" : "at_"}${String(position)}`;
    });
    for (const [position, { uses, first }] of positions.entries()) {
      const steps = uses === null || first === null ? [] : stepsOf(tables, first, labels);
      const body = steps.length === 0 ? ["  false"] : ["  if", ...steps, "  fi"];
      lines.push(`${labels[position] ?? ""}:`, `${body.join("\n")};`);
    }
    lines.push("  skip", "}");
  }
  return `${lines.join("\n")}\n`;
}

/** One line for each way in which the cells let the step be taken. */
function stepsOf(tables: StepTables, first: Answer, labels: readonly string[]): string[] {
  const steps: string[] = [];
  const follow = (answer: Answer, conditions: readonly string[]): void => {
    if (isQuestion(answer)) {
      for (const [number, next] of answer.answers.entries()) {
        if (next === undefined) continue;
        const value = String(tables.valueOf(answer.cell, number));
        follow(next, [...conditions, `c${String(answer.cell)} == ${value}`]);
      }
      return;
    }
    if (answer.position < 0) return;
    const writes = answer.cells.map((cell, index) => {
      const value = String(tables.valueOf(cell, answer.values[index] ?? 0));
      return `c${String(cell)} = ${value}; `;
    });
    const condition = conditions.length === 0 ? "true" : conditions.join(" && ");
    const to = labels[answer.position] ?? "";
    steps.push(`  :: atomic { ${condition} -> ${writes.join("")}goto ${to} }`);
  };
  follow(first, []);
  return steps;
}
