import { BioOp, BioStatus } from "@blkstack/bio";
import { TargetBench } from "@blkstack/conformance";
import { retry } from "./retry.ts";

const bench = new TargetBench({ types: [retry] });
await bench.create("0 64 retry a 8 2");

let failing = 2;
bench.a.faults = {
  statusOf: (bio) => (bio.op === BioOp.Read && failing-- > 0 ? BioStatus.IoError : BioStatus.Ok),
};
await bench.write(0, 2, 7);
console.log(`${String(await bench.read(0, 2))}, after ${bench.status()} retries`);

failing = 3;
console.log(`${String(await bench.read(0, 2))}, after ${bench.status()} retries`);

await bench.message("reset");
console.log(bench.status());
console.log(bench.a.log.join(", "));
