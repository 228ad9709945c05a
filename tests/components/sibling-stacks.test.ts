import { isRecord } from "@risk/program-graph";
import { beforeAll, describe, expect, it } from "vitest";
import { type Evaluation, evaluateStack, type Recorded } from "../helpers/recorder";

/** Names that count inside another resource only, whose own name or id differs. */
const SCOPED: Readonly<Record<string, string>> = {
  "aws:athena/namedQuery:NamedQuery name": "of the workgroup",
  "aws:glue/catalogTable:CatalogTable name": "of the database",
  "aws:apigateway/method:Method operationName": "of the API",
  "aws:apigateway/methodSettings:MethodSettings stageName": "of the API",
  "aws:apigateway/model:Model name": "of the API",
  "aws:apigateway/stage:Stage stageName": "of the API",
  "aws:cloudwatch/metricAlarm:MetricAlarm metricName": "checked with its dimensions",
  "aws:ec2/vpcEndpoint:VpcEndpoint serviceName": "AWS's own",
  "aws:lambda/alias:Alias name": "of the function",
  "aws:redshiftserverless/namespace:Namespace adminUsername": "of the namespace",
  "aws:redshiftserverless/namespace:Namespace dbName": "of the namespace",
  "aws:glue/schema:Schema schemaName": "of the registry",
  "aws:sns/topic:Topic displayName": "shown in mails",
};

// Two stacks of one account and region, with everything that a stack may have.
const everything = { "risk:api.firewall": "true", "risk:api.provisionedConcurrency": "1", "aws:region": "us-east-1" };
let dev: Evaluation;
let prod: Evaluation;
beforeAll(async () => {
  dev = await evaluateStack("dev", everything, { copy: "-1111111" });
  prod = await evaluateStack("prod", everything, { copy: "-2222222" });
}, 60_000);

/** What a resource is known by outside its stack. */
function names({ type, inputs }: Recorded): string[] {
  return Object.entries(inputs)
    .filter(([key, value]) => /(name|^bucket|^key)$/i.test(key) && typeof value === "string")
    .map(([key, value]) => [`${type} ${key}`, String(value)])
    .filter(([field]) => SCOPED[field ?? ""] === undefined)
    .map(([field, value]) => `${field}: ${type === "aws:s3/bucketObjectv2:BucketObjectv2" ? inputs.bucket : value}`);
}

/** Namespace, name and dimensions of every metric that an alarm watches. */
function alarmMetrics({ inputs }: Recorded): string[] {
  const queries = Array.isArray(inputs.metricQueries) ? inputs.metricQueries.map((query) => Object(query).metric) : [];
  return [inputs, ...queries]
    .filter((metric) => isRecord(metric) && metric.metricName !== undefined)
    .map(({ namespace, metricName, dimensions }) => JSON.stringify([namespace, metricName, dimensions]));
}

/** The metrics of a dashboard, as CloudWatch's array of namespace, name and dimensions; searches as their expression. */
function dashboardMetrics({ inputs }: Recorded): string[] {
  const { widgets } = JSON.parse(String(inputs.dashboardBody)) as { widgets: { properties: { metrics: unknown[][] } }[] };
  return widgets.flatMap(({ properties }) =>
    properties.metrics.map((metric) =>
      JSON.stringify(metric.map((part) => (isRecord(part) ? part.expression : part)).filter((part) => part !== undefined)),
    ),
  );
}

const of = (graph: Evaluation, type: string, read: (resource: Recorded) => string[]): string[] =>
  graph.resources.filter((resource) => resource.type.startsWith(type)).flatMap(read);

const shared = (read: (graph: Evaluation) => string[]): string[] => {
  const others = new Set(read(prod));
  return [...new Set(read(dev))].filter((value) => others.has(value));
};

describe("two stacks of one account and region", () => {
  it("share no name", () => {
    const read = (graph: Evaluation) => of(graph, "aws:", names);
    expect(read(dev).length).toBeGreaterThan(100);
    expect(shared(read)).toEqual([]);
  });

  it("neither watch nor plot each other's metrics", () => {
    const alarms = (graph: Evaluation) => of(graph, "aws:cloudwatch/metricAlarm:", alarmMetrics);
    const dashboards = (graph: Evaluation) => of(graph, "aws:cloudwatch/dashboard:", dashboardMetrics);
    expect(alarms(dev).length).toBeGreaterThan(20);
    expect(dashboards(dev).length).toBeGreaterThan(20);
    expect(shared(alarms)).toEqual([]);
    expect(shared(dashboards)).toEqual([]);
  });

  it("report under dimensions of their own, functions and firewall alike", () => {
    const reports = (graph: Evaluation) =>
      of(graph, "aws:lambda/function:", ({ name, inputs }) => {
        const { METRIC_NAMESPACE, METRIC_NAMESPACES, ENVIRONMENT } = Object(Object(inputs.environment).variables);
        const namespace = METRIC_NAMESPACE ?? METRIC_NAMESPACES;
        return namespace === undefined ? [] : [`${name} ${namespace} ${ENVIRONMENT}`];
      });
    expect(reports(dev)).toContain("scoring-lead-function LeadScoring dev-a1");
    expect(reports(dev)).toHaveLength(12);
    expect(shared(reports)).toEqual([]);
    const firewalls = (graph: Evaluation) =>
      of(graph, "aws:wafv2/webAcl:", ({ inputs }) => [String(Object(inputs.visibilityConfig).metricName)]);
    expect(firewalls(dev)).toHaveLength(1);
    expect(shared(firewalls)).toEqual([]);
  });

  it("leave behind only the account's log role of API Gateway, for each other", () => {
    const kept = dev.resources.filter(({ retainOnDelete }) => retainOnDelete).map(({ name }) => name);
    // Objects of models stay with their bucket, which is the stack's own.
    expect(kept.filter((name) => !name.startsWith("models-")).sort()).toEqual([
      "gateway-logs",
      "gateway-logs-permissions",
      "gateway-logs-role",
    ]);
    const { inputs } = dev.find("aws:apigateway/account:Account", "gateway-logs");
    expect(inputs.cloudwatchRoleArn).toContain("gateway-logs-role-1111111");
  });
});
