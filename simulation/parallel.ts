/** Spreads tasks over threads. Results come in the order of the tasks. */
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import type { Task } from "./worker";

/** @param onResult called as they come */
export async function inThreads<Result>(
  root: string,
  threads: number,
  tasks: readonly Task[],
  onResult: (result: Result) => void,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  let next = 0;
  const thread = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(join(__dirname, "worker.js"), { workerData: root });
      let mine = -1;
      worker.on("message", (message: Result | "ready") => {
        if (message !== "ready") {
          results[mine] = message;
          onResult(message);
        }
        mine = next++;
        worker.postMessage(tasks[mine] ?? "stop");
      });
      worker.on("error", reject);
      worker.on("exit", () => resolve());
    });
  await Promise.all(Array.from({ length: Math.min(threads, tasks.length) }, thread));
  return results;
}
