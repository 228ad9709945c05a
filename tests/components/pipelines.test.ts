/** What the pipelines of a stack consist of: machines, jobs, objects, what starts them and what raises an alarm. */

import { type AlarmState, comparisons, decide, extraPeriods, type TreatMissing } from "@risk/local-aws/testing";
import { beforeAll, describe, expect, it } from "vitest";
import { ConfigError } from "../../stacks/config";
import { type Evaluation, evaluateStack } from "../helpers/recorder";
import { ACCOUNT, BUCKET, grants, KEY } from "./pipeline-grants";

const SNOWFLAKE = {
  "risk:pipelines.datasets": "fraud,device",
  "risk:device.source": "snowflake",
  "risk:snowflake.accountUrl": "acme-risk.snowflakecomputing.com",
  "risk:snowflake.database": "RISK",
  "risk:snowflake.schema": "PUBLIC",
  "risk:snowflake.warehouse": "RISK_WH",
  "risk:snowflake.role": "RISK_READER",
  "risk:snowflake.table": "DEVICE_FINGERPRINTS",
  "risk:snowflake.secretName": "risk/snowflake",
};

let dev: Evaluation;
let prod: Evaluation;
let snowflake: Evaluation;
beforeAll(async () => {
  dev = await evaluateStack("dev");
  prod = await evaluateStack("prod");
  snowflake = await evaluateStack("prod", SNOWFLAKE);
}, 120_000);

describe("state machines", () => {
  it("log everything under the stack's key, and are traced", () => {
    const machines = dev.ofType("aws:sfn/stateMachine:StateMachine");
    expect(machines.map(({ name }) => name).sort()).toEqual([
      "inference-steps-machine",
      "training-promotion-steps-machine",
      "training-steps-machine",
    ]);
    for (const { inputs, name } of machines) {
      const component = name.replace(/-machine$/, "");
      expect(inputs, name).toEqual({
        roleArn: `arn:aws:iam:us-east-1:${ACCOUNT}:${component}-role-0001`,
        type: "STANDARD",
        definition: expect.stringContaining('"StartAt"'),
        loggingConfiguration: {
          level: "ALL",
          includeExecutionData: true,
          logDestination: `arn:aws:cloudwatch:us-east-1:${ACCOUNT}:/aws/vendedlogs/states/${component}-dev-a1:*`,
        },
        tracingConfiguration: { enabled: true },
        encryptionConfiguration: {
          type: "CUSTOMER_MANAGED_KMS_KEY",
          kmsKeyId: expect.stringContaining(KEY),
          kmsDataKeyReusePeriodSeconds: 300,
        },
        tags: expect.anything(),
      });
    }
  });

  it("know the resources that they work with", () => {
    const definition = String(dev.find("aws:sfn/stateMachine:StateMachine", "training-steps-machine").inputs.definition);
    for (const text of [
      "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5",
      `s3://${BUCKET}/code/sagemaker/sourcedir-`,
      "States.Format('training-{}-dev-a1', $.plan.output.dataset)",
      "https://us-east-1.console.aws.amazon.com/states/home?region=us-east-1#/v2/executions/details/",
    ])
      expect(definition).toContain(text);
    expect(JSON.parse(definition)).toMatchObject({
      States: { TrainModel: { Parameters: { EnableManagedSpotTraining: false } } },
    });
    const spot: unknown = JSON.parse(
      String(prod.find("aws:sfn/stateMachine:StateMachine", "training-steps-machine").inputs.definition),
    );
    expect(spot).toMatchObject({
      States: {
        TrainModel: {
          Parameters: { EnableManagedSpotTraining: true, StoppingCondition: { MaxWaitTimeInSeconds: 14_400 } },
        },
      },
    });
  });
});

describe("Glue jobs", () => {
  it("run a pinned version with code, keys and arguments", () => {
    const modules = dev
      .ofType("aws:s3/bucketObjectv2:BucketObjectv2")
      .map(({ inputs }) => String(inputs.key))
      .filter((key) => /^code\/glue\/(?!extract_|load_scores)/.test(key));
    expect(dev.find("aws:glue/job:Job", "inference-load-job").inputs).toEqual({
      roleArn: expect.stringContaining("inference-load-role"),
      description: "Loads a day's scores",
      command: { name: "glueetl", scriptLocation: `s3://${BUCKET}/code/glue/load_scores.py`, pythonVersion: "3" },
      defaultArguments: {
        "--job-language": "python",
        "--job-bookmark-option": "job-bookmark-disable",
        "--TempDir": `s3://${BUCKET}/temp/glue/`,
        "--enable-metrics": "true",
        "--custom-logGroup-prefix": "/aws-glue/jobs/inference-load-dev-a1",
        "--extra-py-files": modules.map((key) => `s3://${BUCKET}/${key}`).join(","),
        "--bucket": BUCKET,
        "--data_api_workgroup": "warehouse-dev-a1",
        "--data_api_database": "risk",
        "--unload_role_arn": expect.stringContaining("warehouse-exchange-role"),
        "--kms_key_id": expect.stringContaining(KEY),
      },
      glueVersion: "5.0",
      workerType: "G.1X",
      numberOfWorkers: 2,
      timeout: 60,
      maxRetries: 0,
      executionProperty: { maxConcurrentRuns: 9 },
      securityConfiguration: "pipelines-security-0001",
      tags: expect.anything(),
    });
  });

  it("write to groups with retention and key, whose names Glue builds from prefix and security configuration", () => {
    const job = dev.find("aws:glue/job:Job", "inference-load-job");
    for (const stream of ["error", "output"]) {
      const group = dev.find("aws:cloudwatch/logGroup:LogGroup", `inference-load-${stream}-logs`);
      expect(group.inputs).toMatchObject({
        name: `/aws-glue/jobs/inference-load-dev-a1/${stream}-${job.inputs.securityConfiguration}`,
        retentionInDays: 7,
        kmsKeyId: expect.stringContaining(KEY),
      });
      expect(job.dependsOn).toContain(group.urn);
    }
  });

  it("sign in to Snowflake with a key pair that is not in config, when a dataset is there", () => {
    expect(snowflake.find("aws:glue/connection:Connection", "pipelines-snowflake").inputs).toEqual({
      name: "risk-snowflake-prod-a1",
      description: "Snowflake, by key pair",
      connectionType: "SNOWFLAKE",
      tags: expect.anything(),
      connectionProperties: {
        SparkProperties: JSON.stringify({
          secretId: "risk/snowflake",
          sfUrl: "acme-risk.snowflakecomputing.com",
          sfDatabase: "RISK",
          sfSchema: "PUBLIC",
          sfWarehouse: "RISK_WH",
          sfRole: "RISK_READER",
        }),
      },
    });
    expect(snowflake.find("aws:secretsmanager/secret:Secret", "pipelines-snowflake-key-pair").inputs).toMatchObject({
      name: "risk/snowflake",
      kmsKeyId: expect.stringContaining(KEY),
    });
    for (const { inputs } of snowflake.ofType("aws:glue/job:Job")) expect(inputs.connections).toEqual(["risk-snowflake-prod-a1"]);
    const granted = grants(snowflake, "training-extract");
    expect(granted.ReadConnection).toEqual([["glue:GetConnection"], ["catalog", "risk-snowflake-prod-a1"]]);
    expect(granted.ReadKeyPair).toEqual([["secretsmanager:GetSecretValue"], ["risk/snowflake"]]);
    expect(dev.ofType("aws:glue/connection:Connection")).toEqual([]);
  });
});

describe("the bucket", () => {
  it("keeps models, and expires temporary objects", () => {
    const rules = dev.find("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", "pipelines-lifecycle").inputs
      .rules;
    const expiry = (rules as readonly { readonly filter: { readonly prefix: string }; readonly expiration?: unknown }[]).map(
      ({ filter, expiration }) => [filter.prefix, expiration],
    );
    expect(Object.fromEntries(expiry)).toEqual({
      "": undefined,
      "training/data/": { days: 365 },
      "inference/input/": { days: 90 },
      "inference/output/": { days: 90 },
      "inference/scores/": { days: 90 },
      "temp/": { days: 2 },
      "models/": undefined,
    });
  });

  it("gets the documents, the scripts and one archive", () => {
    const keys = dev
      .ofType("aws:s3/bucketObjectv2:BucketObjectv2")
      .filter(({ inputs }) => inputs.bucket === BUCKET)
      .map(({ inputs }) => String(inputs.key));
    expect(keys).toEqual(
      expect.arrayContaining([
        "config/datasets/fraud.json",
        "config/datasets/churn.json",
        "config/datasets/device.json",
        "code/glue/extract_training_data.py",
        "code/glue/extract_inference_data.py",
        "code/glue/load_scores.py",
        expect.stringMatching(/^code\/sagemaker\/sourcedir-[0-9a-f]{16}\.tar\.gz$/),
      ]),
    );
  });
});

describe("starts", () => {
  const rules = (graph: Evaluation) =>
    Object.fromEntries(
      graph
        .ofType("aws:cloudwatch/eventRule:EventRule")
        .filter(({ name }) => /^(training|inference)-/.test(name))
        .map(({ name, inputs }) => [name, [inputs.scheduleExpression, inputs.state]]),
    );

  it("are scheduled for every dataset that needs no file, and enabled by the stack", () => {
    const expected = (state: string) => ({
      "training-start-schedule-fraud": ["cron(0 2 1,15 * ? *)", state],
      "training-start-schedule-churn": ["cron(0 2 1,15 * ? *)", state],
      "training-start-approved": [undefined, undefined],
      "inference-start-schedule-fraud": ["cron(0 3 * * ? *)", state],
      "inference-start-schedule-churn": ["cron(0 3 * * ? *)", state],
    });
    expect(rules(dev)).toEqual(expected("DISABLED"));
    expect(rules(prod)).toEqual(expected("ENABLED"));
    expect(dev.find("aws:cloudwatch/eventTarget:EventTarget", "training-start-schedule-fraud-target").inputs).toEqual({
      rule: "training-start-schedule-fraud-0001",
      arn: expect.stringContaining("training-steps-machine"),
      roleArn: expect.stringContaining("training-start-role"),
      input: '{"dataset":"fraud"}',
      deadLetterConfig: { arn: expect.stringContaining("training-start-undelivered-queue") },
      retryPolicy: { maximumEventAgeInSeconds: 3600, maximumRetryAttempts: 30 },
    });
  });

  it("follow the approval of a version of the stack's own groups", () => {
    const rule = dev.find("aws:cloudwatch/eventRule:EventRule", "training-start-approved").inputs;
    expect(JSON.parse(String(rule.eventPattern))).toEqual({
      source: ["aws.sagemaker"],
      "detail-type": ["SageMaker Model Package State Change"],
      detail: {
        ModelApprovalStatus: ["Approved"],
        ModelPackageGroupName: ["training-fraud-dev-a1", "training-churn-dev-a1", "training-device-dev-a1"],
      },
    });
    expect(dev.find("aws:cloudwatch/eventTarget:EventTarget", "training-start-approved-target").inputs).toMatchObject({
      arn: expect.stringContaining("training-promotion-steps-machine"),
      inputTransformer: { inputPaths: { arn: "$.detail.ModelPackageArn" }, inputTemplate: '{"modelPackageArn": <arn>}' },
    });
  });
});

describe("alarms", () => {
  it("report failed, timed-out, stopped and late executions", () => {
    for (const machine of ["training-steps", "training-promotion-steps", "inference-steps"]) {
      for (const [suffix, metricName] of Object.entries({
        failed: "ExecutionsFailed",
        "timed-out": "ExecutionsTimedOut",
        aborted: "ExecutionsAborted",
        late: "ExecutionTime",
      })) {
        expect(dev.find("aws:cloudwatch/metricAlarm:MetricAlarm", `${machine}-${suffix}`).inputs).toMatchObject({
          namespace: "AWS/States",
          metricName,
          dimensions: { StateMachineArn: expect.stringContaining(`${machine}-machine`) },
          threshold: { failed: 0, "timed-out": 0, aborted: 0, late: machine === "inference-steps" ? 180 * 60_000 : 360 * 60_000 }[
            suffix
          ],
        });
      }
    }
  });

  it("report a night without scores, if there is a schedule", () => {
    expect(prod.find("aws:cloudwatch/metricAlarm:MetricAlarm", "inference-steps-missing").inputs).toMatchObject({
      metricName: "ExecutionsSucceeded",
      comparisonOperator: "LessThanThreshold",
      threshold: 1,
      period: 3600,
      evaluationPeriods: 26,
      // Without data from the beginning, it tells of the change back to that.
      treatMissingData: "missing",
      insufficientDataActions: [expect.stringContaining("alarms")],
    });
    const names = dev.ofType("aws:cloudwatch/metricAlarm:MetricAlarm").map(({ name }) => name);
    expect(names).not.toContain("inference-steps-missing");
  });

  it("stay silent on a new stack, and go off 26 hours after the last success", () => {
    const { inputs } = prod.find("aws:cloudwatch/metricAlarm:MetricAlarm", "inference-steps-missing");
    const periods = Number(inputs.evaluationPeriods);
    const breaches = (value: number) => comparisons.LessThanThreshold?.(value, Number(inputs.threshold)) ?? false;
    /** State after a success so many hours ago, and silence since. */
    const stateAfter = (hours: number, before: AlarmState) => {
      const points = Array.from({ length: periods + extraPeriods }, (_, hour) => (hour === hours ? 1 : undefined));
      return decide(points, periods, periods, breaches, inputs.treatMissingData as TreatMissing, before);
    };
    const NEVER = Number.POSITIVE_INFINITY;
    // Every alarm begins so; only a change is told.
    expect(stateAfter(NEVER, "INSUFFICIENT_DATA")).toBe("INSUFFICIENT_DATA");
    expect([stateAfter(0, "INSUFFICIENT_DATA"), stateAfter(25, "OK")]).toEqual(["OK", "OK"]);
    expect(stateAfter(periods + extraPeriods, "OK")).toBe("INSUFFICIENT_DATA");
  });

  it("are drawn on one dashboard", () => {
    const body: unknown = JSON.parse(
      String(dev.find("aws:cloudwatch/dashboard:Dashboard", "pipelines-dashboard").inputs.dashboardBody),
    );
    expect(body).toMatchObject({ widgets: expect.any(Array) });
    expect(Object(body).widgets).toHaveLength(8);
  });
});

describe("what a destroyed stack would leave behind or lose", () => {
  const GROUP = "aws:sagemaker/modelPackageGroup:ModelPackageGroup";
  const SECRET = "aws:secretsmanager/secret:Secret";

  it("is protected if the stack protects its data", () => {
    expect(prod.find(GROUP, "training-fraud-models").protect).toBe(true);
    expect(snowflake.find(SECRET, "pipelines-snowflake-key-pair")).toMatchObject({
      protect: true,
      inputs: { recoveryWindowInDays: 30 },
    });
  });

  it("does not block the names of a stack that protects nothing", async () => {
    const unprotected = await evaluateStack("prod", { ...SNOWFLAKE, "risk:deletionProtection": "false" });
    expect(unprotected.find(GROUP, "training-fraud-models").protect).toBe(false);
    // A secret in its recovery window would refuse the next deployment.
    expect(unprotected.find(SECRET, "pipelines-snowflake-key-pair")).toMatchObject({
      protect: false,
      inputs: { recoveryWindowInDays: 0 },
    });
  });
});

describe("config", () => {
  const problems = async (overrides: Readonly<Record<string, string>>): Promise<string> => {
    try {
      await evaluateStack("dev", overrides);
    } catch (error) {
      // Compiled and transformed modules have a class of their own each.
      if (error instanceof Error && error.name === ConfigError.name) return error.message;
      throw error;
    }
    return "";
  };

  it.each([
    [{ "risk:warehouse.enabled": "false" }, /warehouse\.enabled: expected true, since pipelines\.datasets has fraud and churn/],
    [{ "risk:pipelines.datasets": "fraud,fraud" }, /pipelines\.datasets: expected each dataset once, got "fraud,fraud"/],
    [{ "risk:pipelines.datasets": "fraud,lead" }, /pipelines\.datasets: expected fraud, churn and device/],
    [{ "risk:device.source": "snowflake" }, /snowflake\.secretName: .*since device\.source is snowflake/],
    [{ "risk:training.spot": "true", "risk:training.maxRuntimeMinutes": "300" }, /training\.maxWaitMinutes: expected at least/],
    [{ "risk:training.schedule": "rate(1 day)" }, /training\.schedule: expected six fields in UTC/],
    [{ "risk:training.instanceType": "ml.g5.xlarge" }, /training\.instanceType: expected an instance type with EBS volumes/],
  ])("%o is refused with its fix", async (overrides, message) => {
    const found = await problems(overrides);
    expect(found).toMatch(message);
    expect(found).toContain("Fix: pulumi config set");
  });

  it("creates nothing of the pipelines when they are off", async () => {
    const graph = await evaluateStack("dev", { "risk:pipelines.enabled": "false" });
    const others = /^aws:glue\/(catalog|registry|schema)/;
    expect(graph.resources.filter(({ type }) => /sfn|glue|sagemaker/.test(type) && !others.test(type))).toEqual([]);
    expect(graph.find("aws:redshiftserverless/namespace:Namespace", "warehouse-namespace").inputs.iamRoles).toHaveLength(1);
  });
});
