/**
 * Scores over REST: gateway → function per profile → scores table, score bus, metrics; rules for high scores; archive of all.
 */
import { ApiKey, type RestApiArgs, UsagePlan, UsagePlanKey } from "@pulumi/aws/apigateway";
import { Dashboard, LogGroup, LogResourcePolicy, type MetricAlarm } from "@pulumi/aws/cloudwatch";
import type { Table } from "@pulumi/aws/dynamodb";
import type { Role } from "@pulumi/aws/iam";
import { Alias, EventSourceMapping, ProvisionedConcurrencyConfig } from "@pulumi/aws/lambda";
import * as pulumi from "@pulumi/pulumi";
import type { AnyProfile } from "../functions/core/profile";
import type { PolicyDocument } from "../functions/policy/document";
import { type AlarmContext, alarm, functionAlarms, queueNotEmptyAlarm } from "./lib/alarms";
import { PrivateBucket } from "./lib/bucket";
import type { PlatformContext } from "./lib/context";
import { type FunctionTransform, PlatformFunction } from "./lib/function";
import { grant, policyDocument } from "./lib/iam";
import type { Naming } from "./lib/naming";
import { policyParameter, readParameter } from "./lib/policy-parameter";
import { EncryptedQueue } from "./lib/queue";
import type { GeneratedSecret } from "./lib/secret";
import { scoresTable, tableStatement } from "./lib/tables";
import { NotificationTopic } from "./lib/topic";
import type { Transform } from "./lib/transform";
import type { ScoreBus } from "./score-bus";
import { dashboardBody } from "./scoring-api/dashboard";
import { protectStage } from "./scoring-api/firewall";
import { type ApiAuth, createGateway, type Gateway, type RouteTarget } from "./scoring-api/gateway";

export type { ApiAuth } from "./scoring-api/gateway";

/** A scoring profile behind a path. */
export interface ScoringRoute {
  /** One segment of lower-case letters, digits and hyphens: `/score`. */
  readonly path: string;
  readonly profile: AnyProfile;
  /** What a new stack decides by. */
  readonly policy: PolicyDocument;
}

export interface ScoringApiArgs {
  readonly context: PlatformContext;
  readonly naming: Naming;
  readonly region: string;
  readonly routes: readonly [ScoringRoute, ...ScoringRoute[]];
  /** Paths of the bundles of `rest-scoring` and `score-archiver`. */
  readonly bundles: { readonly scoring: string; readonly archiver: string };
  readonly auth: ApiAuth;
  readonly bus: ScoreBus;
  readonly tokenSecret: GeneratedSecret;
  /** Where every score is archived, for the warehouse. */
  readonly archive: PrivateBucket;
  /** Gets a mail for each score over `routeAlertScore`. */
  readonly notificationEmail: string;
  /** MB, default of the seed: 1024. */
  readonly memoryMb: number;
  /** Seconds; the gateway gives up after 29. */
  readonly timeoutSeconds: number;
  /** Executions set aside for each scoring function; default none. */
  readonly reservedConcurrency?: number;
  /** Warm executions on an alias `live`, $0.0000033 a GB-second each; 0 for none. */
  readonly provisionedConcurrency: number;
  /** Percent of invocations that may fail before an alarm. */
  readonly errorRateAlarmPercent: number;
  /** Requests a second, on the stage and for each method in the usage plan. */
  readonly throttle: { readonly rateLimit: number; readonly burstLimit: number };
  /** Requests a day of one API key. */
  readonly quotaPerDay: number;
  /** Seconds that an equal input gets its earlier answer. */
  readonly cacheTtlSeconds: number;
  /** Scores above go to a log group … */
  readonly routeLogScore: number;
  /** … and above this one to the topic. */
  readonly routeAlertScore: number;
  /** A web ACL in front of the stage: $5 a month, $1 a rule, $0.60 a million requests. */
  readonly firewall: boolean;
  /** Adds ±5 to lead scores, as the demonstration of old did. Not deterministic. */
  readonly demoJitter: boolean;
  readonly transform?: {
    readonly api?: Transform<RestApiArgs>;
    readonly scoring?: FunctionTransform;
    readonly archiver?: FunctionTransform;
  };
}

const METRIC_NAMESPACE = "LeadScoring";
const LEAD_EVENTS = eventNames("lead");
const STAGE_NAME = "v1";
const LATENCY_ALARM_MS = 3000;
const ARCHIVER_TIMEOUT_SECONDS = 60;
const PATH = /^\/[a-z0-9-]+$/;

interface ScoringFunction {
  readonly route: ScoringRoute;
  readonly fn: PlatformFunction;
  readonly target: RouteTarget;
}

export class ScoringApi extends pulumi.ComponentResource {
  /** `https://….execute-api.….amazonaws.com/v1`, without a slash at the end. */
  readonly url: pulumi.Output<string>;
  readonly dashboardUrl: pulumi.Output<string>;
  readonly scoresTable: pulumi.Output<string>;
  readonly alertTopicArn: pulumi.Output<string>;
  readonly modelBucket: PrivateBucket;
  /** Value of the API key; undefined unless `auth.mode` is `apiKey`. */
  readonly apiKey: pulumi.Output<string> | undefined;
  readonly nodes: {
    readonly gateway: Gateway;
    readonly functions: readonly PlatformFunction[];
    readonly archiver: PlatformFunction;
    readonly scores: Table;
    readonly usagePlan: UsagePlan;
    readonly topic: NotificationTopic;
    readonly highScores: LogGroup;
    readonly dashboard: Dashboard;
    readonly alarms: readonly MetricAlarm[];
  };

  constructor(
    private readonly instance: string,
    private readonly args: ScoringApiArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("risk:scoring:ScoringApi", instance, {}, opts);
    this.validate();
    const scores = scoresTable(`${instance}-scores`, args.context, this);
    this.modelBucket = this.createModelBucket();
    const functions = args.routes.map((route) => this.createFunction(route, scores));
    const gateway = createGateway(
      instance,
      {
        context: args.context,
        auth: args.auth,
        routes: functions.map(({ target }) => target),
        stageName: STAGE_NAME,
        throttle: args.throttle,
        transform: args.transform?.api,
      },
      this,
    );
    if (args.firewall) protectStage(instance, gateway.stage.arn, { parent: this });
    const { usagePlan, apiKey } = this.createUsagePlan(gateway);
    const highScores = this.routeHighScores();
    const topic = this.routeAlerts();
    const archiver = this.archiveScores();
    const dashboard = this.createDashboard(gateway, functions);
    const alarms = this.createAlarms(functions);
    this.url = gateway.stage.invokeUrl.apply((url) => url.replace(/\/$/, ""));
    this.dashboardUrl = pulumi.interpolate`https://${args.region}.console.aws.amazon.com/cloudwatch/home?region=${args.region}#dashboards/dashboard/${dashboard.dashboardName}`;
    this.scoresTable = scores.name;
    this.alertTopicArn = topic.arn;
    this.apiKey = apiKey?.value;
    this.nodes = {
      gateway,
      functions: functions.map(({ fn }) => fn),
      archiver,
      scores,
      usagePlan,
      topic,
      highScores,
      dashboard,
      alarms,
    };
    this.registerOutputs({
      url: this.url,
      dashboardUrl: this.dashboardUrl,
      scoresTable: this.scoresTable,
      alertTopicArn: this.alertTopicArn,
      modelBucket: this.modelBucket.bucketName,
      apiKey: this.apiKey,
    });
  }

  /** Lets a role call the API when `auth.mode` is `iam`. `name` is the policy's logical name. */
  grantInvoke(name: string, role: Role): void {
    const { api } = this.nodes.gateway;
    const resources = this.args.routes.map(({ path }) => pulumi.interpolate`${api.executionArn}/${STAGE_NAME}/POST${path}`);
    grant(name, role, [{ sid: "CallApi", actions: ["execute-api:Invoke"], resources }], { parent: this });
  }

  private validate(): void {
    const paths = this.args.routes.map(({ path }) => path);
    const wrong = paths.filter((path, index) => !PATH.test(path) || paths.indexOf(path) !== index);
    if (wrong.length > 0) {
      throw new Error(
        `ScoringApi "${this.instance}": args.routes[].path must be unique and one segment such as "/score", got ${wrong.join(", ")}.`,
      );
    }
  }

  private createModelBucket(): PrivateBucket {
    const { context } = this.args;
    return new PrivateBucket(
      `${this.instance}-models`,
      {
        encryption: context.key,
        deletionProtection: context.deletionProtection,
        accessLogBucket: context.accessLogBucket,
      },
      { parent: this },
    );
  }

  private createFunction(route: ScoringRoute, scores: Table): ScoringFunction {
    const { args } = this;
    const name = `${this.instance}-${route.profile.id}`;
    const { environment: stage, suffix } = args.naming;
    const policy = policyParameter(
      `${name}-policy`,
      { parameterName: `/${name}-scoring/${stage}/${suffix}/policy`, policy: route.policy },
      { parent: this },
    );
    const fn = new PlatformFunction(
      name,
      {
        ...args.context,
        description: `Scores ${route.profile.id} requests at POST ${route.path}`,
        bundle: args.bundles.scoring,
        callbackFactory: () => require("./bundles/rest-scoring/index.js").handler,
        memoryMb: args.memoryMb,
        timeoutSeconds: args.timeoutSeconds,
        ...(args.reservedConcurrency === undefined ? {} : { reservedConcurrency: args.reservedConcurrency }),
        publish: args.provisionedConcurrency > 0,
        environment: {
          PROFILE: route.profile.id,
          SCORES_TABLE: scores.name,
          POLICY_PARAMETER: policy.name,
          EVENT_BUS_NAME: args.bus.busName,
          EVENT_SOURCE: eventNames(route.profile.id).source,
          EVENT_DETAIL_TYPE: eventNames(route.profile.id).detailType,
          METRIC_NAMESPACE,
          CACHE_TTL_SECONDS: String(args.cacheTtlSeconds),
          ARCHIVE_BUCKET: args.archive.bucketName,
          TOKEN_SECRET_ARN: args.tokenSecret.arn,
          DEMO_JITTER: args.demoJitter ? "1" : "0",
          LOG_LEVEL: "info",
        },
        permissions: [
          tableStatement("Scores", scores, ["Query", "GetItem", "PutItem", "DeleteItem"]),
          readParameter(policy),
          ...args.tokenSecret.readStatements(),
          ...args.bus.publishStatements(),
          ...args.archive.writeStatements(["archive/"]),
        ],
        ...(args.transform?.scoring ? { transform: args.transform.scoring } : {}),
      },
      { parent: this },
    );
    return { route, fn, target: this.targetOf(route, fn, name) };
  }

  /** The function, or an alias with warm executions in front of it. */
  private targetOf(route: ScoringRoute, fn: PlatformFunction, name: string): RouteTarget {
    const { path, profile } = route;
    const { function: lambda } = fn.nodes;
    const { provisionedConcurrency } = this.args;
    if (provisionedConcurrency === 0) {
      return { path, profile, invokeArn: lambda.invokeArn, functionName: lambda.name, qualifier: undefined };
    }
    const alias = new Alias(
      `${name}-live`,
      { name: "live", functionName: lambda.name, functionVersion: lambda.version },
      { parent: this },
    );
    new ProvisionedConcurrencyConfig(
      `${name}-warm`,
      { functionName: lambda.name, qualifier: alias.name, provisionedConcurrentExecutions: provisionedConcurrency },
      { parent: this },
    );
    return { path, profile, invokeArn: alias.invokeArn, functionName: lambda.name, qualifier: alias.name };
  }

  private createUsagePlan({ api, stage }: Gateway): { readonly usagePlan: UsagePlan; readonly apiKey: ApiKey | undefined } {
    const { throttle, quotaPerDay, routes, auth } = this.args;
    const child = { parent: this };
    const usagePlan = new UsagePlan(
      `${this.instance}-usage-plan`,
      {
        description: "Callers of the scoring API",
        apiStages: [
          {
            apiId: api.id,
            stage: stage.stageName,
            throttles: routes.map(({ path }) => ({ path: `${path}/POST`, ...throttle })),
          },
        ],
        throttleSettings: throttle,
        quotaSettings: { limit: quotaPerDay, period: "DAY" },
      },
      child,
    );
    if (auth.mode !== "apiKey") return { usagePlan, apiKey: undefined };
    const apiKey = new ApiKey(
      `${this.instance}-api-key`,
      { description: "Default caller of the scoring API", enabled: true },
      child,
    );
    new UsagePlanKey(
      `${this.instance}-usage-plan-key`,
      { keyId: apiKey.id, keyType: "API_KEY", usagePlanId: usagePlan.id },
      child,
    );
    return { usagePlan, apiKey };
  }

  private scoresAbove(score: number): string {
    return JSON.stringify({
      source: [LEAD_EVENTS.source],
      "detail-type": [LEAD_EVENTS.detailType],
      detail: { score: [{ numeric: [">", score] }] },
    });
  }

  private routeHighScores(): LogGroup {
    const { naming, context, bus, routeLogScore } = this.args;
    const logGroup = new LogGroup(
      `${this.instance}-high-scores`,
      {
        // EventBridge delivers to log groups of this prefix only.
        name: `/aws/events/${this.instance}-high-scores-${naming.environment}-${naming.suffix}`,
        retentionInDays: context.logRetentionDays,
        kmsKeyId: context.key.arn,
      },
      { parent: this },
    );
    const policy = new LogResourcePolicy(
      `${this.instance}-high-scores-policy`,
      {
        policyName: `${this.instance}-high-scores-${naming.environment}-${naming.suffix}`,
        policyDocument: policyDocument([
          {
            sid: "EventsToLogs",
            principals: { service: ["events.amazonaws.com", "delivery.logs.amazonaws.com"] },
            actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
            resources: [pulumi.interpolate`${logGroup.arn}:*`],
          },
        ]),
      },
      { parent: this },
    );
    bus.route(
      `${this.instance}-high-scores`,
      {
        description: `Scores above ${routeLogScore} to the log group`,
        eventPattern: this.scoresAbove(routeLogScore),
        targetArn: logGroup.arn,
      },
      { parent: this, dependsOn: [policy] },
    );
    return logGroup;
  }

  private routeAlerts(): NotificationTopic {
    const { context, bus, notificationEmail, routeAlertScore } = this.args;
    const topic = new NotificationTopic(
      `${this.instance}-alerts`,
      {
        key: context.key,
        displayName: "Lead scores",
        email: notificationEmail,
        publishers: ["events.amazonaws.com"],
      },
      { parent: this },
    );
    bus.route(
      `${this.instance}-alerts`,
      {
        description: `Scores above ${routeAlertScore} to the topic`,
        eventPattern: this.scoresAbove(routeAlertScore),
        targetArn: topic.arn,
        inputTransformer: {
          inputPaths: { leadId: "$.detail.leadId", score: "$.detail.score", time: "$.detail.timestamp" },
          inputTemplate: '"Lead <leadId> scored <score> at <time>."',
        },
      },
      { parent: this, dependsOn: [topic.nodes.policy] },
    );
    return topic;
  }

  /** All scores, batched into one object: the bus buffers into a queue, the archiver empties it. */
  private archiveScores(): PlatformFunction {
    const { context, bus, archive, bundles, routes, transform } = this.args;
    const queue = new EncryptedQueue(
      `${this.instance}-archive`,
      {
        key: context.key,
        visibilityTimeoutSeconds: ARCHIVER_TIMEOUT_SECONDS * 6,
        senders: [{ service: "events.amazonaws.com", sourceArns: [bus.ruleArnPattern()] }],
      },
      { parent: this },
    );
    bus.route(
      `${this.instance}-archive`,
      {
        description: "Every score to the archive",
        eventPattern: JSON.stringify({
          source: routes.map(({ profile }) => eventNames(profile.id).source),
          "detail-type": routes.map(({ profile }) => eventNames(profile.id).detailType),
        }),
        targetArn: queue.arn,
      },
      { parent: this, dependsOn: [queue.nodes.policy] },
    );
    const archiver = new PlatformFunction(
      `${this.instance}-archiver`,
      {
        ...context,
        description: "Writes REST scores to the archive, one object a batch",
        bundle: bundles.archiver,
        callbackFactory: () => require("./bundles/score-archiver/index.js").handler,
        memoryMb: 256,
        timeoutSeconds: ARCHIVER_TIMEOUT_SECONDS,
        environment: { ARCHIVE_BUCKET: archive.bucketName, LOG_LEVEL: "info" },
        permissions: [...queue.consumeStatements(), ...archive.writeStatements(["archive/"])],
        ...(transform?.archiver ? { transform: transform.archiver } : {}),
      },
      { parent: this },
    );
    new EventSourceMapping(
      `${this.instance}-archive-source`,
      {
        eventSourceArn: queue.arn,
        functionName: archiver.functionName,
        // Many scores an object: small objects cost the warehouse more than the wait.
        batchSize: 1000,
        maximumBatchingWindowInSeconds: 30,
        functionResponseTypes: ["ReportBatchItemFailures"],
        // The bound of a queue consumer: reserved concurrency would throttle the poller and burn receives.
        scalingConfig: { maximumConcurrency: 2 },
      },
      { parent: this, dependsOn: [archiver.policy] },
    );
    const alarms: AlarmContext = { parent: this, topicArn: context.alarmTopicArn };
    if (queue.deadLetterQueue) {
      queueNotEmptyAlarm(
        `${this.instance}-unarchived`,
        alarms,
        queue.deadLetterQueue.queueName,
        "A score could not be archived after five attempts; the message holds it.",
      );
    }
    return archiver;
  }

  private createDashboard({ api, stage }: Gateway, functions: readonly ScoringFunction[]): Dashboard {
    const { naming, region } = this.args;
    const names = pulumi.all([api.name, stage.stageName, pulumi.all(functions.map(({ fn }) => fn.functionName))]);
    return new Dashboard(
      `${this.instance}-dashboard`,
      {
        dashboardName: `${this.instance}-${naming.environment}-${naming.suffix}`,
        dashboardBody: names.apply(([apiName, stageName, functionNames]) =>
          dashboardBody({
            region,
            metricNamespace: METRIC_NAMESPACE,
            apiName,
            stageName,
            functions: functions.map(({ route }, index) => ({
              profile: route.profile.id,
              functionName: functionNames[index] ?? "",
            })),
          }),
        ),
      },
      { parent: this },
    );
  }

  private createAlarms(functions: readonly ScoringFunction[]): MetricAlarm[] {
    const { context, timeoutSeconds, errorRateAlarmPercent } = this.args;
    const alarms: AlarmContext = { parent: this, topicArn: context.alarmTopicArn };
    return functions.flatMap(({ route, fn }) => {
      const name = `${this.instance}-${route.profile.id}`;
      return [
        ...functionAlarms(name, alarms, {
          functionName: fn.functionName,
          timeoutSeconds,
          errorRatePercent: errorRateAlarmPercent,
        }),
        alarm(`${name}-latency`, alarms, {
          alarmDescription: `Scoring takes more than ${LATENCY_ALARM_MS} ms on average over 10 minutes.`,
          namespace: METRIC_NAMESPACE,
          metricName: "ScoringLatency",
          dimensions: { Profile: route.profile.id },
          statistic: "Average",
          period: 300,
          evaluationPeriods: 2,
          threshold: LATENCY_ALARM_MS,
        }),
      ];
    });
  }
}

/** `lead.scoring`, `Lead Scored`: how events of a profile are told apart on the bus. */
function eventNames(profile: string): { readonly source: string; readonly detailType: string } {
  return { source: `${profile}.scoring`, detailType: `${profile.charAt(0).toUpperCase()}${profile.slice(1)} Scored` };
}
