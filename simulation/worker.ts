/** One of several threads that run histories. */
import { parentPort, workerData } from "node:worker_threads";
import { explore, hunt, seedsFrom } from "./explore";
import { loadProduct, stopLoading } from "./load-product";
import { MUTATIONS } from "./mutations";
import { prepare } from "./prepared";

export type Task =
  | { readonly kind: "explore"; readonly first: number; readonly count: number }
  | { readonly kind: "hunt"; readonly mutation: number; readonly first: number; readonly count: number };

async function run(root: string): Promise<void> {
  const prepared = prepare(await loadProduct(root));
  parentPort?.on("message", async (task: Task | "stop") => {
    if (task === "stop") {
      stopLoading();
      parentPort?.close();
      return;
    }
    const seeds = seedsFrom(task.first, task.count);
    parentPort?.postMessage(
      task.kind === "explore" ? await explore(prepared, seeds) : await hunt(root, MUTATIONS[task.mutation]!, seeds),
    );
  });
  parentPort?.postMessage("ready");
}

void run(String(workerData));
