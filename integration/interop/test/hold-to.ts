// The rows that peers are held to as well, each a test for this server; the table of all of them is
// printed by: npm run -s conformance
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OURS, PLAIN_ROLES, type Role } from "../src/conformance/makes.ts";
import type { RowGroup } from "../src/conformance/row.ts";
import { Target } from "../src/conformance/target.ts";
import { makePki } from "../src/pki.ts";
import { isMissing } from "../src/tools.ts";
import { eventually, Workbench } from "../src/workbench.ts";

/** Holds one server in each role to these rows, one after the other. */
export function holdTo(groups: readonly RowGroup[], roles: readonly Role[] = PLAIN_ROLES): void {
  const bench = new Workbench();
  const filesBefore = new Map<Role, number>();
  let target: Target;

  beforeAll(async () => {
    const hasTls = roles.some((role) => !PLAIN_ROLES.includes(role));
    target = new Target(OURS, bench, hasTls ? await makePki(bench) : null);
    await target.ready(roles);
    for (const role of roles) filesBefore.set(role, target.openFileCount(role));
  });

  afterAll(async () => {
    await target.stop();
    bench.clear();
  });

  describe.each(groups.map(({ title, rows }) => ({ title, rows })))("$title", ({ rows }) => {
    for (const { id, says, needs = [], check } of rows) {
      it.skipIf(isMissing(...needs))(`${id}: ${says}`, async () => {
        await check(target);
        expect(await target.ready(roles)).toEqual([]);
      });
    }
  });

  it.each(roles)(
    "after all of this the server of %s has no more open than before, and ends with 0",
    async (role) => {
      await eventually(() => {
        // Fewer when a client was just leaving as they were counted.
        expect(target.openFileCount(role)).toBeLessThanOrEqual(filesBefore.get(role) ?? 0);
      });
      expect(await target.end(role, "SIGTERM")).toBe(0);
      expect(target.complaints(role)).not.toMatch(/error|warning/i);
    },
  );
}
