/** The model store, the parameters that point into it, and who may read what. */
import { beforeAll, describe, expect, it } from "vitest";
import { type Evaluation, evaluateStack, type Recorded } from "../helpers/recorder";

interface PolicyStatement {
  readonly Sid?: string;
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
}

const FUNCTIONS = [
  { profile: "lead", name: "scoring-lead", parameter: "/scoring-lead-scoring/dev/a1/models" },
  { profile: "churn", name: "scoring-churn", parameter: "/scoring-churn-scoring/dev/a1/models" },
  { profile: "device", name: "scoring-device", parameter: "/scoring-device-scoring/dev/a1/models" },
  { profile: "fraud", name: "fraud-processor", parameter: "/fraud-detection/dev/a1/models" },
];

let dev: Evaluation;
let withEndpoint: Evaluation;
beforeAll(async () => {
  dev = await evaluateStack("dev");
  withEndpoint = await evaluateStack("dev", {
    "risk:churn.champion": "endpoint:churn-prod",
    "risk:churn.fallbacks": "churn-trees-1,builtin",
    "risk:models.endpointTimeoutMs": "250",
    "risk:models.endpointFormat": "application/json",
  });
}, 60_000);

const statementsOf = (graph: Evaluation, name: string): readonly PolicyStatement[] =>
  // Written by our own policyDocument, whose shape this is.
  (
    JSON.parse(String(graph.find("aws:iam/rolePolicy:RolePolicy", `${name}-permissions`).inputs.policy)) as {
      Statement: PolicyStatement[];
    }
  ).Statement;

const modelsOf = (graph: Evaluation, parameter: string): unknown =>
  JSON.parse(String(graph.find("aws:ssm/parameter:Parameter", parameter).inputs.value));

const trees = (name: string) => ({
  kind: "trees",
  name,
  key: expect.any(String),
  sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
});

function sourceOf(artifact: Recorded): Promise<string> {
  return (artifact.inputs.source as { readonly path: Promise<string> }).path;
}

describe("artifacts", () => {
  it("are stored under the hash of their content, with their name, in a bucket that keeps versions", async () => {
    const artifacts = dev.ofType("aws:s3/bucketObjectv2:BucketObjectv2").filter(({ name }) => name.startsWith("models-"));
    expect(artifacts.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["models-churn-trees-1", "models-fraud-trees-1", "models-fraud-trees-2"]),
    );
    const bucket = dev.find("aws:s3/bucket:Bucket", "models-bucket");
    const versioning = dev.find("aws:s3/bucketVersioning:BucketVersioning", "models-versioning");
    expect(versioning.inputs).toMatchObject({ versioningConfiguration: { status: "Enabled" } });
    for (const artifact of artifacts) {
      const { name, profile } = artifact.inputs.metadata as { readonly name: string; readonly profile: string };
      expect(artifact.name).toBe(`models-${name}`);
      expect(artifact.inputs).toEqual({
        bucket: `${bucket.name}-0001`,
        key: expect.stringMatching(new RegExp(`^models/${profile}/[0-9a-f]{64}\\.rsm$`)),
        source: expect.anything(),
        contentType: "application/octet-stream",
        metadata: { profile, name },
      });
      expect(await sourceOf(artifact)).toBe(`models/${name}.rsm`);
      expect(artifact.dependsOn).toContain(versioning.urn);
    }
  });
});

describe("the models of a profile", () => {
  it.each(FUNCTIONS)("$profile are a parameter that a deployment writes once", ({ profile, name, parameter }) => {
    const resource = dev.find("aws:ssm/parameter:Parameter", name === "fraud-processor" ? "fraud-models" : `${name}-models`);
    expect(resource.inputs).toMatchObject({ name: parameter, type: "String", description: expect.stringContaining(profile) });
    expect(resource.ignoreChanges).toEqual(["value"]);
    expect(dev.find("aws:lambda/function:Function", `${name}-function`).inputs).toMatchObject({
      environment: { variables: { MODELS_PARAMETER: parameter, MODEL_BUCKET: "models-bucket-0001" } },
    });
  });

  it("start as config says", () => {
    expect(modelsOf(dev, "scoring-lead-models")).toEqual({ chain: [{ kind: "heuristic", name: "lead-heuristic-1" }] });
    expect(modelsOf(dev, "scoring-churn-models")).toEqual({ chain: [trees("churn-trees-1")] });
    expect(modelsOf(dev, "fraud-models")).toEqual({
      chain: [trees("fraud-trees-1")],
      challengers: [{ model: trees("fraud-trees-2") }],
    });
    expect(modelsOf(withEndpoint, "scoring-churn-models")).toEqual({
      chain: [
        { kind: "endpoint", name: "churn-prod", endpointName: "churn-prod", contentType: "application/json", timeoutMs: 250 },
        trees("churn-trees-1"),
        { kind: "logistic", name: "churn-logistic-1" },
      ],
    });
  });

  it("are in the outputs, for the command that changes them", () => {
    expect(Object.keys(Object(dev.outputs.modelsParameters)).sort()).toEqual(["churn", "device", "fraud", "lead"]);
    expect(dev.outputs).toHaveProperty("modelBucket");
  });
});

describe("permissions", () => {
  it.each(FUNCTIONS)("let $name read its own models and their parameter", ({ profile, name, parameter }) => {
    const statements = statementsOf(dev, name);
    const bucket = String(dev.find("aws:s3/bucketPolicy:BucketPolicy", "models-policy").inputs.policy);
    expect(bucket).toContain("models-bucket-0001");
    const reads = statements.filter(({ Action }) => Action.includes("s3:GetObject")).flatMap(({ Resource }) => Resource);
    expect(
      reads.filter((resource) => resource.includes("models-bucket")).map((arn) => arn.split("models-bucket-0001")[1]),
    ).toEqual([`/models/${profile}/*`]);
    const parameters = statements
      .filter(({ Action }) => Action.includes("ssm:GetParameters"))
      .flatMap(({ Resource }) => Resource);
    expect(parameters).toContainEqual(expect.stringContaining(parameter));
    // A policy, and exchange rates where there is money.
    expect(parameters).toHaveLength(profile === "fraud" ? 3 : 2);
    expect(
      statements.filter(({ Resource }) => Resource.some((arn) => arn.includes("models-bucket"))).flatMap((s) => s.Action),
    ).toEqual(["s3:GetObject", "s3:ListBucket"]);
  });

  it("let a function call only the endpoints that config names for it", () => {
    for (const { name } of FUNCTIONS) {
      expect(statementsOf(dev, name).some(({ Action }) => Action.includes("sagemaker:InvokeEndpoint"))).toBe(false);
      const calls = statementsOf(withEndpoint, name).filter(({ Action }) => Action.includes("sagemaker:InvokeEndpoint"));
      expect(calls).toEqual(
        name === "scoring-churn"
          ? [
              {
                Sid: "CallEndpoints",
                Effect: "Allow",
                Action: ["sagemaker:InvokeEndpoint"],
                Resource: ["arn:aws:sagemaker:us-east-1:123456789012:endpoint/churn-prod"],
              },
            ]
          : [],
      );
    }
  });
});
