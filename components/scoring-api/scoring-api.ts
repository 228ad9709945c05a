/**
 * Scores over REST: gateway → function per profile → scores table, score bus, metrics; rules for high scores; archive of all.
 * Feedback over REST: what became of the scored events, for the warehouse.
 */
import { ApiKey, UsagePlan, UsagePlanKey } from "@pulumi/aws/apigateway";
import { Dashboard, type LogGroup, type MetricAlarm } from "@pulumi/aws/cloudwatch";
import type { Table } from "@pulumi/aws/dynamodb";
import type { Role } from "@pulumi/aws/iam";
import * as pulumi from "@pulumi/pulumi";
import { type AlarmContext, alarm, functionAlarms } from "../shared/alarms";
import type { PlatformFunction } from "../shared/function";
import { grant } from "../shared/iam";
import { environmentOf } from "../shared/naming";
import { scoresTable } from "../shared/tables";
import type { NotificationTopic } from "../shared/topic";
import { archiveScores } from "./archive";
import type { ScoringApiArgs } from "./args";
import { dashboardBody } from "./dashboard";
import { createFeedback, createFeedbackAlarms, FEEDBACK_PATH } from "./feedback";
import { protectStage } from "./firewall";
import { createGateway, type Gateway } from "./gateway";
import { routeHighScores } from "./high-scores";
import { createScoringFunction, METRIC_NAMESPACE, type ScoringFunction } from "./scoring-function";

const STAGE_NAME = "v1";
const LATENCY_ALARM_MS = 3000;
const PATH = /^\/[a-z0-9-]+$/;

export class ScoringApi extends pulumi.ComponentResource {
  /** `https://….execute-api.….amazonaws.com/v1`, without a slash at the end. */
  readonly url: pulumi.Output<string>;
  readonly dashboardUrl: pulumi.Output<string>;
  readonly scoresTable: pulumi.Output<string>;
  readonly alertTopicArn: pulumi.Output<string>;
  /** Log group of the scores over `routeLogScore`. */
  readonly highScoresLogGroup: pulumi.Output<string>;
  /** Name of the policy's parameter by profile id. */
  readonly policyParameterNames: Readonly<Record<string, pulumi.Output<string>>>;
  /** Name of the models' parameter by profile id. */
  readonly modelsParameterNames: Readonly<Record<string, pulumi.Output<string>>>;
  /** Value of the API key; undefined unless `auth.mode` is `apiKey`. */
  readonly apiKey: pulumi.Output<string> | undefined;
  readonly nodes: {
    readonly gateway: Gateway;
    readonly functions: readonly PlatformFunction[];
    readonly archiver: PlatformFunction;
    readonly feedback: PlatformFunction;
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
    const functions = args.routes.map((route) => createScoringFunction(instance, route, scores, args, this));
    const feedback = createFeedback(instance, args, this);
    const gateway = createGateway(
      instance,
      {
        context: args.context,
        auth: args.auth,
        routes: [...functions, feedback].map(({ target }) => target),
        stageName: STAGE_NAME,
        throttle: args.throttle,
        transform: args.transform?.api,
      },
      this,
    );
    if (args.firewall) {
      protectStage(
        instance,
        { naming: args.naming, stageArn: gateway.stage.arn, largeBodiesAt: FEEDBACK_PATH },
        { parent: this },
      );
    }
    const { usagePlan, apiKey } = this.createUsagePlan(gateway);
    const { logGroup: highScores, topic } = routeHighScores(instance, args, this);
    const archiver = archiveScores(instance, args, this);
    const dashboard = this.createDashboard(gateway, functions);
    const alarms = [...this.createAlarms(functions), ...createFeedbackAlarms(instance, args, feedback, this)];
    this.url = gateway.stage.invokeUrl.apply((url) => url.replace(/\/$/, ""));
    this.dashboardUrl = pulumi.interpolate`https://${args.region}.console.aws.amazon.com/cloudwatch/home?region=${args.region}#dashboards/dashboard/${dashboard.dashboardName}`;
    this.scoresTable = scores.name;
    this.alertTopicArn = topic.arn;
    this.highScoresLogGroup = highScores.name;
    this.policyParameterNames = Object.fromEntries(functions.map(({ route, policy }) => [route.profile.id, policy.name]));
    this.modelsParameterNames = Object.fromEntries(functions.map(({ route, models }) => [route.profile.id, models.name]));
    this.apiKey = apiKey?.value;
    this.nodes = {
      gateway,
      functions: functions.map(({ fn }) => fn),
      archiver,
      feedback: feedback.fn,
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
      highScoresLogGroup: this.highScoresLogGroup,
      policyParameterNames: this.policyParameterNames,
      modelsParameterNames: this.modelsParameterNames,
      apiKey: this.apiKey,
    });
  }

  /** Lets a role call the API when `auth.mode` is `iam`. `name` is the policy's logical name. */
  grantInvoke(name: string, role: Role): void {
    const { api } = this.nodes.gateway;
    const resources = this.paths().map((path) => pulumi.interpolate`${api.executionArn}/${STAGE_NAME}/POST${path}`);
    grant(name, role, [{ sid: "CallApi", actions: ["execute-api:Invoke"], resources }], { parent: this });
  }

  private paths(): string[] {
    return [...this.args.routes.map(({ path }) => path), FEEDBACK_PATH];
  }

  private validate(): void {
    const paths = this.paths();
    const wrong = paths.filter((path, index) => !PATH.test(path) || paths.indexOf(path) !== index);
    if (wrong.length > 0) {
      throw new Error(
        `ScoringApi "${this.instance}": args.routes[].path must be unique and one segment such as "/score", got ${wrong.join(", ")}.`,
      );
    }
  }

  private createUsagePlan({ api, stage }: Gateway): { readonly usagePlan: UsagePlan; readonly apiKey: ApiKey | undefined } {
    const { throttle, quotaPerDay, auth } = this.args;
    const child = { parent: this };
    const usagePlan = new UsagePlan(
      `${this.instance}-usage-plan`,
      {
        description: "Callers of the scoring API",
        apiStages: [
          {
            apiId: api.id,
            stage: stage.stageName,
            throttles: this.paths().map((path) => ({ path: `${path}/POST`, ...throttle })),
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
            environment: environmentOf(naming),
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
    const { context, naming, timeoutSeconds, errorRateAlarmPercent } = this.args;
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
          dimensions: { Environment: environmentOf(naming), Profile: route.profile.id },
          statistic: "Average",
          period: 300,
          evaluationPeriods: 2,
          threshold: LATENCY_ALARM_MS,
        }),
      ];
    });
  }
}
