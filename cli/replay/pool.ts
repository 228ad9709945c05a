/** Spreads tasks over threads. One thread is this one. */
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { EventIds } from "../../functions/replay/event-ids";
import { type ReplayPlan, type Task, type TaskResult, TaskRunner } from "./tasks";
import type { ToWorker } from "./worker";

type FromWorker =
  | { readonly kind: "ask"; readonly hashes: Uint32Array }
  | { readonly kind: "done"; readonly result: TaskResult }
  | { readonly kind: "failed"; readonly message: string };

/** Runs tasks, a list at a time: files that the first list leaves in the plan's folder are there for the second. */
export interface TaskPool {
  run(tasks: readonly Task[], onResult: (result: TaskResult) => void): Promise<void>;
  close(): Promise<void>;
}

export function taskPool(plan: ReplayPlan, threads: number): TaskPool {
  const ids = new EventIds();
  return threads > 1 ? threadPool(plan, threads, ids) : ownThread(plan, ids);
}

function ownThread(plan: ReplayPlan, ids: EventIds): TaskPool {
  const runner = new TaskRunner(plan, 0, async (hashes) => ids.add(hashes));
  return {
    async run(tasks, onResult) {
      for (const task of tasks) onResult(await runner.run(task));
    },
    close: async () => runner.close(),
  };
}

function threadPool(plan: ReplayPlan, threads: number, ids: EventIds): TaskPool {
  const workers = Array.from(
    { length: threads },
    (_, id) => new Worker(join(__dirname, "worker.js"), { workerData: { plan, id } }),
  );
  // Before anything can go wrong: a thread that has ended can't be waited for, and an error that nobody hears ends the process.
  const ended = workers.map((worker) => new Promise((resolve) => worker.on("error", () => undefined).once("exit", resolve)));
  const post = (worker: Worker, message: ToWorker): void => worker.postMessage(message);
  /** Gives one worker tasks until there are none; rejects with the first that fails. */
  const work = (worker: Worker, next: () => Task | undefined, onResult: (result: TaskResult) => void): Promise<void> =>
    new Promise((resolve, reject) => {
      const finish = (settle: () => void): void => {
        worker.off("message", onMessage).off("error", onError);
        settle();
      };
      const onError = (error: Error): void => finish(() => reject(error));
      const give = (): void => {
        const task = next();
        if (task === undefined) finish(resolve);
        else post(worker, { kind: "task", task });
      };
      const onMessage = (message: FromWorker): void => {
        if (message.kind === "ask") post(worker, { kind: "fresh", fresh: ids.add(message.hashes) });
        else if (message.kind === "failed") finish(() => reject(new Error(message.message)));
        else {
          onResult(message.result);
          give();
        }
      };
      worker.on("message", onMessage).on("error", onError);
      give();
    });
  return {
    async run(tasks, onResult) {
      let at = 0;
      await Promise.all(workers.map((worker) => work(worker, () => tasks[at++], onResult)));
    },
    async close() {
      for (const worker of workers) post(worker, { kind: "end" });
      await Promise.all(ended);
    },
  };
}
