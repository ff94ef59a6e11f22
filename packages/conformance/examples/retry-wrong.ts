import { type Bio, BioStatus } from "@blkstack/bio";
import { defineTarget, type EndIoResult } from "@blkstack/block";
import { remaps, targetSuite } from "@blkstack/conformance";
import { Retry, retry } from "./retry.ts";

/** Wrong on purpose: a flush has nothing to be tried again, so it is taken as done. */
class FlushesAreDone extends Retry {
  override endIo(bio: Bio): EndIoResult {
    if (bio.sizeBytes === 0) bio.status = BioStatus.Ok;
    return super.endIo(bio);
  }
}

const wrong = defineTarget({ ...retry, create: (context) => new FlushesAreDone(context) });

for (const target of [retry, wrong]) {
  const rules = targetSuite({
    target,
    tables: [
      { line: "retry a 8 2", model: remaps((sector) => ({ disk: "a", sector: sector + 8 })) },
    ],
    invalidTables: [
      { line: "retry a 8", says: "Invalid argument count" },
      { line: "retry a 8 ten", says: "Invalid number of times" },
    ],
  });
  let kept = 0;
  for (const rule of rules) {
    await rule.check().then(
      () => (kept += 1),
      (error: unknown) => {
        console.log(error instanceof Error ? error.message : error);
      },
    );
  }
  console.log(`${String(kept)} of ${String(rules.length)} rules are kept`);
}
