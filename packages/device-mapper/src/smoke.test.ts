import { BioOp, BioStatus } from "@blkstack/bio";
import { expect, it } from "vitest";
import { Bench } from "../test/bench.ts";

it("a write over two lines is cut at the line and ends once", async () => {
  const bench = new Bench();
  await bench.create("md", "0 8 probe a 0", "8 8 probe b 0");
  const write = bench.prepare("md", BioOp.Write, 4, 8);
  write.bytes.fill(7);
  bench.scheduler.spawn("w", (task) => bench.submitter.submitBio(write.bio, task));
  await bench.scheduler.run();
  expect(write).toMatchObject({ ends: 1, status: BioStatus.Ok });
  expect(bench.a.log).toEqual(["WRITE 4+4"]);
  expect(bench.b.log).toEqual(["WRITE 0+4"]);
});
