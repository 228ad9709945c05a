/** Lambda executions that a stack sets aside, and whether the account has them. */

import { type Contradiction, datasetNames } from "./pipeline-checks";
import type { SettingKey } from "./settings";
import type { StackConfig } from "./stack-config";

/** Executions of some functions, and the setting that says how many. */
export interface Reservation {
  readonly key: SettingKey;
  readonly executions: number;
  /** Executions that one less of the setting gives back; undefined where it is no number. */
  readonly step?: number;
  /** What the setting may not go below. */
  readonly least?: number;
}

/** Lambda refuses to set aside the last 100. https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html */
const ALWAYS_UNRESERVED = 100;
/** One a profile; feedback is the fourth function that answers requests, and is never kept warm. */
const SCORING_FUNCTIONS = 3;
const REST_FUNCTIONS = SCORING_FUNCTIONS + 1;

/** What the components set aside with this config; a test adds up their functions. */
export function reservations(config: StackConfig): Reservation[] {
  const { reserveConcurrency } = config;
  const ofEachRoute = reserveConcurrency ? config["api.reservedConcurrency"] : 0;
  const warm = config["api.provisionedConcurrency"];
  const datasets = config["pipelines.enabled"] ? datasetNames(config).length : 0;
  // Plans of training and inference, two gates and promotion; the schedules of all datasets start together.
  const steps = datasets === 0 ? 0 : 5 * Math.max(2, datasets);
  const found: Reservation[] = [
    { key: "api.reservedConcurrency", executions: REST_FUNCTIONS * ofEachRoute, step: REST_FUNCTIONS, least: 0 },
    // Warm executions come out of what is set aside for their function, or else out of the account's.
    {
      key: "api.provisionedConcurrency",
      executions: ofEachRoute > 0 ? 0 : SCORING_FUNCTIONS * warm,
      step: SCORING_FUNCTIONS,
      least: 0,
    },
  ];
  if (reserveConcurrency) {
    found.push(
      {
        key: "fraud.reservedConcurrency",
        executions: config["fraud.reservedConcurrency"],
        step: 1,
        least: config["fraud.capacityMode"] === "provisioned" ? config["fraud.shards"] * config["fraud.parallelization"] : 1,
      },
      // Loader and migrator, one each.
      { key: "warehouse.enabled", executions: config["warehouse.enabled"] ? 2 : 0 },
      { key: "pipelines.datasets", executions: steps },
      {
        key: "inference.mapConcurrency",
        executions: config["inference.mapConcurrency"] * datasets,
        step: datasets,
        least: 1,
      },
    );
  }
  return found.filter(({ executions }) => executions > 0);
}

export function concurrencyContradictions(config: StackConfig): Contradiction[] {
  const found: Contradiction[] = [];
  const reserved = config.reserveConcurrency ? config["api.reservedConcurrency"] : 0;
  if (reserved > 0 && config["api.provisionedConcurrency"] > reserved) {
    found.push({
      key: "api.provisionedConcurrency",
      expected: `at most api.reservedConcurrency (${reserved}), which it is part of`,
      fix: String(reserved),
    });
  }
  const limit = config.accountConcurrencyLimit;
  const available = Math.max(0, limit - ALWAYS_UNRESERVED);
  const parts = reservations(config);
  const total = parts.reduce((sum, { executions }) => sum + executions, 0);
  if (total > available) {
    const list = parts.map(({ key, executions }) => `${key} ${executions}`).join(", ");
    const expected =
      `less, since the stack sets ${total} executions aside (${list}) and ` +
      `accountConcurrencyLimit ${limit} less the ${ALWAYS_UNRESERVED} that Lambda keeps for other functions leaves ${available}`;
    return [...found, { ...remedy(parts, total - available), expected }];
  }
  // A request that Lambda has no execution for is answered with 500, not with 429.
  // https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway-errors.html
  const free = reserved > 0 ? reserved : limit - total;
  if (config["api.throttleBurst"] > free) {
    const source = reserved > 0 ? "api.reservedConcurrency" : "accountConcurrencyLimit";
    const expected = `at most the ${free} executions of ${source}, as a request that finds none is answered with 500`;
    found.push({ key: "api.throttleBurst", expected, fix: String(free) });
  }
  return found;
}

/** The largest number that can give the excess back; in accounts where none can, nothing is set aside. */
function remedy(parts: readonly Reservation[], excess: number): Pick<Contradiction, "key" | "fix"> {
  for (const { key, executions, step, least = 0 } of [...parts].sort((a, b) => b.executions - a.executions)) {
    if (step === undefined) continue;
    const reduced = Math.floor((executions - excess) / step);
    if (reduced >= least) return { key, fix: String(reduced) };
  }
  return { key: "reserveConcurrency", fix: "false" };
}
