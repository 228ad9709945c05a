/**
 * Scores over REST: gateway → function per profile → scores table, score bus, metrics; rules for high scores; an archive of all scores.
 * Feedback over REST: labels of scored events, for the warehouse. Events over REST, for a stream processor.
 */

import type { UsagePlan } from "@pulumi/aws/apigateway";
import type { Dashboard, LogGroup, MetricAlarm } from "@pulumi/aws/cloudwatch";
import type { Table } from "@pulumi/aws/dynamodb";
import type { Role } from "@pulumi/aws/iam";
import * as pulumi from "@pulumi/pulumi";
import { currentAccount } from "../shared/account";
import type { PrivateBucket } from "../shared/bucket";
import type { PlatformContext } from "../shared/context";
import type { PlatformFunction } from "../shared/function";
import { grant } from "../shared/iam";
import type { ServedProfile } from "../shared/models-parameter";
import type { DeadLetters } from "../shared/queue";
import type { ScoreBus } from "../shared/score-bus";
import type { GeneratedSecret } from "../shared/secret";
import { scoresTable } from "../shared/tables";
import type { NotificationTopic } from "../shared/topic";
import { createScoringAlarms } from "./alarms";
import { archiveScores } from "./archive";
import type { ScoringApiArgs } from "./args";
import { createDashboard } from "./dashboard";
import { createEvents, createEventsAlarms, EVENTS_PATH } from "./events";
import { createFeedback, createFeedbackAlarms, FEEDBACK_PATH } from "./feedback";
import { protectStage } from "./firewall";
import { createGateway, type Gateway } from "./gateway";
import { routeHighScores } from "./high-scores";
import { callOf, type RouteTarget } from "./route";
import { createScoringFunction, METRIC_NAMESPACE } from "./scoring-function";
import { scoringSettings } from "./settings";
import { createUsagePlan } from "./usage-plan";

const STAGE_NAME = "v1";
const PATH = /^\/[a-z0-9-]+$/;
/** First segments of the routes of events. */
const OF_EVENTS = [EVENTS_PATH, "/decisions"];

export class ScoringApi extends pulumi.ComponentResource {
  /** `https://….execute-api.….amazonaws.com/v1`, without a trailing slash. */
  readonly url: pulumi.Output<string>;
  readonly dashboardUrl: pulumi.Output<string>;
  readonly scoresTable: pulumi.Output<string>;
  readonly alertTopicArn: pulumi.Output<string>;
  /** Log group of the scores above `highScores.logAbove`. */
  readonly highScoresLogGroup: pulumi.Output<string>;
  /** Name of the policy's parameter by profile id. */
  readonly policyParameterNames: Readonly<Record<string, pulumi.Output<string>>>;
  /** The profiles that training pipelines promote models for, and whose champion batch scoring uses. */
  readonly served: readonly ServedProfile[];
  /** Value of the API key; undefined unless `auth.mode` is `apiKey`. */
  readonly apiKey: pulumi.Output<string> | undefined;
  /** What other components of the stack can share. */
  readonly context: PlatformContext;
  readonly bus: ScoreBus;
  readonly tokenSecret: GeneratedSecret;
  readonly archiveBucket: PrivateBucket;
  /** Queue of the scores on their way to the archive. */
  readonly archiveQueueUrl: pulumi.Output<string>;
  /** Scores that could not be archived. */
  readonly deadLetters: readonly DeadLetters[];
  readonly nodes: {
    readonly gateway: Gateway;
    readonly functions: readonly PlatformFunction[];
    readonly archiver: PlatformFunction;
    readonly feedback: PlatformFunction;
    /** Undefined without `events`. */
    readonly events: { readonly taker: PlatformFunction; readonly reader: PlatformFunction } | undefined;
    readonly scores: Table;
    readonly usagePlan: UsagePlan;
    readonly topic: NotificationTopic;
    readonly highScores: LogGroup;
    readonly dashboard: Dashboard;
    readonly alarms: readonly MetricAlarm[];
  };
  private readonly routes: readonly Pick<RouteTarget, "method" | "path">[];

  constructor(instance: string, args: ScoringApiArgs, opts?: pulumi.ComponentResourceOptions) {
    super("risk:scoring:ScoringApi", instance, {}, opts);
    const settings = scoringSettings(instance, args, this);
    const { context, routes } = settings;
    checkPaths(instance, [...routes.map(({ path }) => path), FEEDBACK_PATH, ...(settings.events ? OF_EVENTS : [])]);
    const scores = scoresTable(`${instance}-scores`, context, this);
    const functions = routes.map((route) => createScoringFunction(instance, route, scores, settings, this));
    const feedback = createFeedback(instance, settings, this);
    const events = settings.events && createEvents(instance, settings.events, settings, this);
    const targets = [...[...functions, feedback].map(({ target }) => target), ...(events?.targets ?? [])];
    this.routes = targets;
    const { auth, limits, transform } = settings;
    const served = { context, auth, limits, routes: targets, stageName: STAGE_NAME, transform: transform.api };
    const gateway = createGateway(instance, served, this);
    const largeBodiesAt = [FEEDBACK_PATH, ...(events ? [EVENTS_PATH] : [])];
    if (settings.firewall) protectStage(instance, context.naming, gateway.stage, largeBodiesAt, this);
    const { usagePlan, apiKey } = createUsagePlan(instance, settings, gateway, targets, this);
    const { logGroup: highScores, topic } = routeHighScores(instance, settings, this);
    const { queue: archiveQueue, archiver } = archiveScores(instance, settings, this);
    const dashboard = createDashboard(instance, context.naming, gateway, functions, events !== undefined, this);
    const alarms = [
      ...createScoringAlarms(instance, settings, functions, this),
      ...createFeedbackAlarms(instance, settings, feedback, this),
      ...(events ? createEventsAlarms(instance, settings, events, this) : []),
    ];

    this.url = gateway.stage.invokeUrl.apply((url) => url.replace(/\/$/, ""));
    this.dashboardUrl = consoleLink(dashboard, this);
    this.scoresTable = scores.name;
    this.alertTopicArn = topic.arn;
    this.highScoresLogGroup = highScores.name;
    this.policyParameterNames = Object.fromEntries(functions.map(({ route, policy }) => [route.profile.id, policy.name]));
    this.served = functions.map(({ route, models }) => ({
      profile: route.profile.id,
      modelsParameter: models.name,
      modelStore: route.models.store,
      metricNamespace: METRIC_NAMESPACE,
    }));
    this.apiKey = apiKey?.value;
    this.context = context;
    this.bus = settings.bus;
    this.tokenSecret = settings.tokenSecret;
    this.archiveBucket = settings.archive.bucket;
    this.archiveQueueUrl = archiveQueue.url;
    this.deadLetters = archiveQueue.deadLetters();
    this.nodes = {
      gateway,
      functions: functions.map(({ fn }) => fn),
      archiver,
      feedback: feedback.fn,
      events: events && { taker: events.taker, reader: events.reader },
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
      modelsParameterNames: Object.fromEntries(this.served.map(({ profile, modelsParameter }) => [profile, modelsParameter])),
      apiKey: this.apiKey,
    });
  }

  /** Lets a role call the API when `auth.mode` is `iam`. `name` is the logical name of the IAM policy. */
  grantInvoke(name: string, role: Role): void {
    const { api } = this.nodes.gateway;
    const resources = this.routes.map(
      ({ method, path }) => pulumi.interpolate`${api.executionArn}/${STAGE_NAME}/${callOf(method, path)}`,
    );
    grant(name, role, [{ sid: "CallApi", actions: ["execute-api:Invoke"], resources }], { parent: this });
  }
}

function checkPaths(instance: string, paths: readonly string[]): void {
  const wrong = paths.filter((path, index) => !PATH.test(path) || paths.indexOf(path) !== index);
  if (wrong.length === 0) return;
  throw new Error(
    `ScoringApi "${instance}": args.profiles[].path must be unique and one segment such as "/score", got ${wrong.join(", ")}.`,
  );
}

const consoleLink = ({ dashboardName }: Dashboard, parent: pulumi.Resource): pulumi.Output<string> =>
  currentAccount(parent).region.apply(
    (region) =>
      pulumi.interpolate`https://${region}.console.aws.amazon.com/cloudwatch/home?region=${region}#dashboards/dashboard/${dashboardName}`,
  );
