import { messageOf } from "@risk/program-graph";
import type { Part } from "../../contracts";

/** Runs `work` every `intervalMs` of real time between start and end; an error is reported and does not stop the next run. */
export function ticker(title: string, intervalMs: number, work: () => void | Promise<void>, log: (line: string) => void): Part {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  const run = async () => {
    try {
      await work();
    } catch (error) {
      log(`${title}: ${messageOf(error)}`);
    }
    running = undefined;
  };
  return {
    title,
    start: () => {
      timer = setInterval(() => {
        running ??= run();
      }, intervalMs);
    },
    end: async () => {
      clearInterval(timer);
      await running;
    },
  };
}
