import { ProductionVariantInstanceType, TrainingInstanceType, TransformInstanceType } from "@aws-sdk/client-sagemaker";
import { describe, expect, it } from "vitest";
import { PIPELINE_SETTINGS } from "../../stacks/pipeline-settings";

const FAMILIES = ["m", "c", "r"].flatMap((kind) => ["5", "5d", "6i", "7i", "7g"].map((generation) => kind + generation));
const SIZES = ["medium", "large", ...["", 2, 4, 8, 9, 12, 16, 18, 24, 32, 48].map((count) => `${count}xlarge`)];

const accepted = (setting: "training.instanceType" | "inference.instanceType"): string[] =>
  FAMILIES.flatMap((family) => SIZES.map((size) => `ml.${family}.${size}`)).filter((type) =>
    PIPELINE_SETTINGS[setting].pattern.test(type),
  );

/** Names of `types` that SageMaker does not have for a purpose. */
const unknownTo = (known: Readonly<Record<string, string>>, types: readonly string[]): string[] =>
  types.filter((type) => !Object.values(known).includes(type));

describe("instance types", () => {
  it("of training are what SageMaker trains on", () => {
    const types = accepted("training.instanceType");
    expect(types).toEqual(
      expect.arrayContaining(["ml.m5.large", "ml.m5.xlarge", "ml.c5.9xlarge", "ml.r5.4xlarge", "ml.r7i.24xlarge"]),
    );
    expect(unknownTo(TrainingInstanceType, types)).toEqual([]);
  });

  it("of batch scoring are what SageMaker transforms on, and what versions are registered for", () => {
    const types = accepted("inference.instanceType");
    expect(types).toEqual(expect.arrayContaining(["ml.m5.large", "ml.m5.xlarge", "ml.c5.9xlarge", "ml.m6i.8xlarge"]));
    expect(unknownTo(TransformInstanceType, types)).toEqual([]);
    expect(unknownTo(ProductionVariantInstanceType, types)).toEqual([]);
  });

  it.each(["ml.r5.xlarge", "ml.m5.8xlarge", "ml.m5d.xlarge"])("refuses %s for batch scoring", (type) => {
    expect(accepted("inference.instanceType")).not.toContain(type);
  });
});
