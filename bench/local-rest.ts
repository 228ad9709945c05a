/** `local.rest`: new leads over ten connections to the REST API of a platform on this machine, each scored, stored and published. */
import { Agent, request } from "node:http";
import { type PlatformProcess, withPlatform } from "./platform-process";
import type { Bench, BenchResult } from "./types";

const CONNECTIONS = 10;
const WARM_UP = 300;
const REQUESTS = 500;
const ROUNDS = 5;
const INDUSTRIES = ["technology", "finance", "retail", "healthcare", "manufacturing", "education"];

/** The dev stack lets 100 requests a second pass; what is measured must not be the throttle. */
function unthrottled(stackFile: string): string {
  const changed = stackFile.replace("  risk:api:\n", "  risk:api:\n    throttleRate: 10000\n    throttleBurst: 500\n");
  if (changed === stackFile) throw new Error("Pulumi.dev.yaml has no risk:api to raise the throttle of.");
  return changed;
}

/** Each is new: an answer from the cache is neither stored nor published. Company sizes are spread as those of the demo. */
const lead = (index: number) => ({
  companySize: Math.round(Math.exp(1.5 + ((index * 0.618_034) % 1) * 6.7)),
  industry: INDUSTRIES[index % INDUSTRIES.length],
  engagementMetrics: Math.floor(index / 6) % 101,
});

function post(url: string, apiKey: string, agent: Agent, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "x-api-key": apiKey };
    const call = request(url, { method: "POST", agent, headers }, (response) => {
      response.resume();
      response.on("error", reject);
      response.on("end", () =>
        response.statusCode === 200 ? resolve() : reject(new Error(`POST ${url} answered ${response.statusCode}.`)),
      );
    });
    call.on("error", reject);
    call.end(body);
  });
}

async function measure({ outputs, cpuSeconds }: PlatformProcess): Promise<BenchResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const url = `${(outputs.apiUrl ?? "").replace(/\/$/, "")}/score`;
  let sent = 0;
  const send = async (count: number) => {
    const end = sent + count;
    const connection = async () => {
      while (sent < end) await post(url, outputs.apiKey ?? "", agent, JSON.stringify(lead(sent++)));
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, connection));
  };
  await send(WARM_UP);
  const rates: number[] = [];
  const cpuBefore = await cpuSeconds();
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now();
    await send(REQUESTS);
    rates.push((REQUESTS / (performance.now() - started)) * 1000);
  }
  const cpu = (await cpuSeconds()) - cpuBefore;
  agent.destroy();
  rates.sort((one, other) => one - other);
  return {
    ours: rates[Math.floor(ROUNDS / 2)] ?? 0,
    peers: {},
    note:
      `POST /score with new leads at ${CONNECTIONS} connections, median of ${ROUNDS} rounds of ${REQUESTS} after ${WARM_UP} (${rates.map(Math.round).join(", ")}); ` +
      `dev stack with api.throttleRate 10,000, without metering; main process ${((cpu / (ROUNDS * REQUESTS)) * 1000).toFixed(1)} CPU s per 1,000; Node ${process.versions.node}`,
  };
}

export const bench: Bench = {
  id: "local.rest",
  unit: "requests/s",
  better: "higher",
  requirements: [{ atLeast: 105 }],
  run: () => withPlatform(measure, unthrottled),
};
