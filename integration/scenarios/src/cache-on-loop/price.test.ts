import { expect, it } from "vitest";
import { prices } from "./price.ts";

it("a scope on the worker ends no deadlock; joined scopes do, and leave a filesystem without memory", async () => {
  const table = new Map((await prices()).map((price) => [price.way, price]));
  const noted = (way: string) => {
    const { verdict, swapOutsFromNofs, evictions, pagesGot } = table.get(way) ?? {};
    return { verdict, swapOutsFromNofs, evictions, pagesGot };
  };
  const never = { swapOutsFromNofs: null, evictions: null, pagesGot: null };
  expect(noted("io-flag")).toEqual({ verdict: "deadlock", ...never });
  expect(noted("io-flag, noio scope on the loop worker")).toEqual({
    verdict: "deadlock",
    ...never,
  });
  expect(noted("io-flag, joined scopes")).toEqual({
    verdict: "none",
    swapOutsFromNofs: [0, 0],
    evictions: [0, 0],
    pagesGot: [0, 0],
  });
  expect(noted("fs-flag")).toMatchObject({ verdict: "none", swapOutsFromNofs: [1, 1] });
  expect(noted("workqueue")).toMatchObject({ swapOutsFromNofs: [1, 1], evictions: [1, 1] });
  expect([...table.values()].every(({ complete }) => complete)).toBe(true);
});
