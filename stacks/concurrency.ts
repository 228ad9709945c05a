/** Lambda executions that a stack reserves, and whether the account has them. */
import { datasetNames } from "./pipeline-checks";
import type { SettingKey } from "./settings";
import type { Contradiction, StackConfig } from "./stack-config";
import { hasTrigger } from "./triggers";

/** Executions of some functions, and the setting that decides how many. */
export interface Reservation {
  readonly key: SettingKey;
  readonly executions: number;
  /** Executions saved by lowering the setting by one; undefined if it isn't a number. */
  readonly step?: number;
  /** Lower limit of the setting. */
  readonly least?: number;
}

/** Lambda refuses to reserve the last 100. https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html */
const ALWAYS_UNRESERVED = 100;
/** One per profile. */
const SCORING_FUNCTIONS = 3;
/** With those of feedback, events and decisions, which have no warm executions. */
const restFunctions = (config: StackConfig): number => SCORING_FUNCTIONS + (hasTrigger(config, "rest") ? 3 : 1);

/** What the components reserve with this config; a test compares it with the sum over their functions. */
export function reservations(config: StackConfig): Reservation[] {
  const { reserveConcurrency } = config;
  const ofEachRoute = reserveConcurrency ? config["api.reservedConcurrency"] : 0;
  const warm = config["api.provisionedConcurrency"];
  const datasets = config["pipelines.enabled"] ? datasetNames(config).length : 0;
  // The plans of training and inference, two gates and promotion; the schedules of all datasets start together.
  const steps = datasets === 0 ? 0 : 5 * Math.max(2, datasets);
  const found: Reservation[] = [
    {
      key: "api.reservedConcurrency",
      executions: restFunctions(config) * ofEachRoute,
      step: restFunctions(config),
      least: 0,
    },
    // Warm executions count towards their function's reserved ones, or else towards the account's.
    {
      key: "api.provisionedConcurrency",
      executions: ofEachRoute > 0 ? 0 : SCORING_FUNCTIONS * warm,
      step: SCORING_FUNCTIONS,
      least: 0,
    },
  ];
  if (reserveConcurrency) {
    const scorers = (["kinesis", "firehose"] as const).filter((name) => hasTrigger(config, name)).length;
    found.push(
      {
        key: "fraud.reservedConcurrency",
        executions: scorers * config["fraud.reservedConcurrency"],
        step: scorers,
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
  // A request for which Lambda has no execution left is answered with 500, not with 429.
  // https://docs.aws.amazon.com/lambda/latest/dg/services-apigateway-errors.html
  const free = reserved > 0 ? reserved : limit - total;
  if (config["api.throttleBurst"] > free) {
    const source = reserved > 0 ? "api.reservedConcurrency" : "accountConcurrencyLimit";
    const expected = `at most the ${free} executions of ${source}, as a request that finds none is answered with 500`;
    found.push({ key: "api.throttleBurst", expected, fix: String(free) });
  }
  return found;
}

/** The largest number that gives the excess back; for accounts where no number does, nothing is reserved. */
function remedy(parts: readonly Reservation[], excess: number): Pick<Contradiction, "key" | "fix"> {
  for (const { key, executions, step, least = 0 } of [...parts].sort((a, b) => b.executions - a.executions)) {
    if (step === undefined) continue;
    const reduced = Math.floor((executions - excess) / step);
    if (reduced >= least) return { key, fix: String(reduced) };
  }
  return { key: "reserveConcurrency", fix: "false" };
}
