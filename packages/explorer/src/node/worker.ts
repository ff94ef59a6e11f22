// One thread of a search in parts: imports the scenario, and does one part after the other.
import { parentPort, workerData } from "node:worker_threads";
import { runJob } from "../parallel/job.ts";
import type { TallyCounts } from "../report.ts";
import type { FromWorker, ToWorker, WorkerBirth } from "./crew.ts";
import { loadScenario } from "./load-scenario.ts";

if (parentPort === null) throw new Error("this file runs in a worker thread only");
const parent = parentPort;
const birth = workerData as WorkerBirth;
const scenario = await loadScenario(birth);
let stopping = new AbortController();

parent.on("message", (message: ToWorker) => {
  if (message.kind === "stop") {
    stopping.abort();
    return;
  }
  stopping = new AbortController();
  const { signal } = stopping;
  const onProgress = (tally: TallyCounts): void => {
    tell({ kind: "progress", tally });
  };
  runJob(scenario, birth.plan, message.job, { signal, onProgress }).then(
    (result) => {
      tell({ kind: "result", result });
    },
    (error: unknown) => {
      tell({ kind: "failed", error });
    },
  );
});

function tell(message: FromWorker): void {
  parent.postMessage(message);
}
