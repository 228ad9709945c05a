/**
 * `program.evaluate`: from the start of a process until every resource of the dev stack is known. Each deployment and each `npm start`
 * begins with this: loading Pulumi and the program, bundling the functions, serialising the callbacks.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { stackGraph } from "@risk/local-aws";
import type { Bench } from "./types";

const ROUNDS = 5;
const STACK = "dev";
const run = promisify(execFile);

export const bench: Bench = {
  id: "program.evaluate",
  unit: "ms",
  better: "lower",
  async run() {
    const times: number[] = [];
    let resources = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const { stdout } = await run(process.execPath, [__filename]);
      const measured: { milliseconds: number; resources: number } = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
      times.push(measured.milliseconds);
      resources = measured.resources;
    }
    return {
      ours: times.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? 0,
      peers: {},
      note:
        `stack "${STACK}", ${resources} resources, bundling of the functions included; process start to finished graph, ` +
        `median of ${ROUNDS} fresh processes, Node ${process.versions.node}`,
    };
  },
};

if (require.main === module) {
  stackGraph(process.cwd(), STACK).then(
    ({ resources }) => {
      process.stdout.write(`${JSON.stringify({ milliseconds: performance.now(), resources: resources.length })}\n`, () =>
        process.exit(0),
      );
    },
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`, () => process.exit(1));
    },
  );
}
