import { describe, expect, it } from "vitest";
import { parseFeatures } from "../../functions/scoring/models/feature-spec";
import { profileById } from "../../functions/scoring/profiles";
import { datasets } from "../../stacks/datasets";

const TABLE = {
  connection: "risk-snowflake",
  database: "RISK",
  schema: "PUBLIC",
  warehouse: "COMPUTE_WH",
  table: "DEVICE_FINGERPRINTS",
  keyColumn: "REQUEST_ID",
  timeColumn: "CREATED_AT",
  targetColumn: "IPQS_DEVICE_FP_FRAUD_SCORE",
};
const all = datasets({ fraudMaturityDays: 30, device: TABLE });

describe("datasets", () => {
  it("exist for each profile that learns, under its name", () => {
    expect(Object.keys(all)).toEqual(["fraud", "churn", "device"]);
    for (const [name, dataset] of Object.entries(all)) {
      expect(dataset).toMatchObject({ version: 1, name, profile: name });
      expect(JSON.parse(JSON.stringify(dataset))).toEqual(dataset);
    }
  });

  it.each(Object.values(all))(
    "$name: names features of its profile, and no others",
    ({ profile, features, quality, training }) => {
      const known = profileById(profile).features;
      expect(parseFeatures(features, "features").map(({ name }) => name)).toEqual(known.definitions.map(({ name }) => name));
      for (const name of [
        ...Object.keys(quality.ranges ?? {}),
        ...Object.keys(quality.nullRates ?? {}),
        ...Object.keys(training.monotone ?? {}),
      ])
        expect(known.slot(name), name).toBeGreaterThanOrEqual(0);
      for (const [low, high] of Object.values(quality.ranges ?? {})) expect(low).toBeLessThan(high);
    },
  );

  it("device: has the reference model's target, columns and hyperparameters, and its table's coordinates", () => {
    const { source, target, training, features } = all.device;
    expect(source).toEqual({ kind: "snowflake", ...TABLE });
    expect(target).toEqual({ name: "IPQS_DEVICE_FP_FRAUD_SCORE", kind: "regression", minimum: 0, maximum: 100 });
    expect(features).toHaveLength(85);
    expect(training).toMatchObject({
      objective: "reg:squarederror",
      rounds: 1400,
      maxDepth: 6,
      learningRate: 0.0769,
      subsample: 0.958,
      colsampleByTree: training.colsampleByTree,
    });
    expect(Math.round(training.colsampleByTree * 1000)).toBe(707);
    expect(datasets({ fraudMaturityDays: 30, device: null }).device.source).toEqual({ kind: "files" });
  });

  it("fraud: waits for chargebacks as long as configured", () => {
    expect(datasets({ fraudMaturityDays: 3, device: null }).fraud.labels).toEqual({ unlabelled: "negative", maturityDays: 3 });
    expect(all.churn.labels.unlabelled).toBe("drop");
  });
});
