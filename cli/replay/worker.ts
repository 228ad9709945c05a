/** A thread of `npm run replay`: gets one task after the other. */
import { parentPort, workerData } from "node:worker_threads";
import { type ReplayPlan, type Task, TaskRunner } from "./tasks";

/** To a worker: a task, the answer to its question, or the end. */
export type ToWorker =
  | { readonly kind: "task"; readonly task: Task }
  | { readonly kind: "fresh"; readonly fresh: Uint8Array }
  | { readonly kind: "end" };

const { plan, id }: { readonly plan: ReplayPlan; readonly id: number } = workerData;
let answer: (fresh: Uint8Array) => void = () => undefined;
const runner = new TaskRunner(plan, id, (hashes) => {
  parentPort?.postMessage({ kind: "ask", hashes });
  return new Promise((resolve) => {
    answer = resolve;
  });
});

parentPort?.on("message", (message: ToWorker) => {
  if (message.kind === "fresh") answer(message.fresh);
  else if (message.kind === "end") {
    runner.close();
    parentPort?.close();
  } else {
    runner.run(message.task).then(
      (result) => parentPort?.postMessage({ kind: "done", result }),
      (error: unknown) =>
        parentPort?.postMessage({ kind: "failed", message: error instanceof Error ? error.message : String(error) }),
    );
  }
});
