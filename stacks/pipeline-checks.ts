/** Settings of the pipelines that are each valid but contradict each other. */
import { PIPELINE_SETTINGS } from "./pipeline-settings";
import type { Contradiction, StackConfig } from "./stack-config";

/** Names in `pipelines.datasets`. */
export const datasetNames = (config: StackConfig): string[] => config["pipelines.datasets"].split(",");

const REQUIRED_OF_SNOWFLAKE = [
  "snowflake.accountUrl",
  "snowflake.database",
  "snowflake.schema",
  "snowflake.warehouse",
  "snowflake.role",
  "snowflake.table",
  "snowflake.keyColumn",
  "snowflake.timeColumn",
  "snowflake.targetColumn",
  "snowflake.secretName",
] as const satisfies readonly (keyof typeof PIPELINE_SETTINGS)[];

export function pipelineContradictions(config: StackConfig): Contradiction[] {
  if (!config["pipelines.enabled"]) return [];
  const names = datasetNames(config);
  const found: Contradiction[] = [];
  const unique = [...new Set(names)];
  if (unique.length < names.length)
    found.push({ key: "pipelines.datasets", expected: "each dataset once", fix: unique.join(",") });
  const inSnowflake = config["device.source"] === "snowflake" ? ["device"] : [];
  const inWarehouse = unique.filter((name) => !inSnowflake.includes(name));
  if (!config["warehouse.enabled"] && inWarehouse.length > 0) {
    found.push({
      key: "warehouse.enabled",
      expected: `true, since pipelines.datasets has ${inWarehouse.join(" and ")}, whose scores the warehouse takes`,
      fix: "true",
    });
  }
  if (inSnowflake.some((name) => unique.includes(name))) {
    for (const key of REQUIRED_OF_SNOWFLAKE.filter((name) => config[name] === "")) {
      const { expected, example } = PIPELINE_SETTINGS[key];
      found.push({ key, expected: `${expected}, since device.source is snowflake`, fix: example });
    }
  }
  const { policyTtlSeconds } = config;
  const watched = config["training.canaryMinutes"];
  if (watched > 0 && watched * 60 < policyTtlSeconds * 3) {
    const minutes = Math.ceil((policyTtlSeconds * 3) / 60);
    found.push({
      key: "training.canaryMinutes",
      expected: `0, or at least ${minutes}: functions take up to ${Math.ceil(policyTtlSeconds * 1.2)} seconds (policyTtlSeconds) to start using a canary`,
      fix: String(minutes),
    });
  }
  const runtime = config["training.maxRuntimeMinutes"];
  if (config["training.spot"] && config["training.maxWaitMinutes"] < runtime) {
    found.push({
      key: "training.maxWaitMinutes",
      expected: `at least training.maxRuntimeMinutes (${runtime}), since the wait includes the work`,
      fix: String(runtime),
    });
  }
  return found;
}
