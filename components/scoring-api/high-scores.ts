/** Where high lead scores go: above one limit to a log group, above a higher one to people. */
import { LogGroup, LogResourcePolicy } from "@pulumi/aws/cloudwatch";
import * as pulumi from "@pulumi/pulumi";
import { policyDocument } from "../shared/iam";
import { NotificationTopic } from "../shared/topic";
import { eventNames } from "./event-names";
import type { ScoringSettings } from "./settings";

const LEAD_EVENTS = eventNames("lead");

export function routeHighScores(
  instance: string,
  settings: ScoringSettings,
  parent: pulumi.Resource,
): { readonly logGroup: LogGroup; readonly topic: NotificationTopic } {
  return { logGroup: routeToLogs(instance, settings, parent), topic: routeToTopic(instance, settings, parent) };
}

function scoresAbove(score: number): string {
  return JSON.stringify({
    source: [LEAD_EVENTS.source],
    "detail-type": [LEAD_EVENTS.detailType],
    detail: { score: [{ numeric: [">", score] }] },
  });
}

function routeToLogs(
  instance: string,
  { context, bus, highScores: { logAbove } }: ScoringSettings,
  parent: pulumi.Resource,
): LogGroup {
  const name = `${instance}-high-scores-${context.naming.environment}-${context.naming.suffix}`;
  const logGroup = new LogGroup(
    `${instance}-high-scores`,
    {
      // EventBridge only delivers to log groups with this prefix.
      name: `/aws/events/${name}`,
      retentionInDays: context.logRetentionDays,
      kmsKeyId: context.key.arn,
    },
    { parent },
  );
  const policy = new LogResourcePolicy(
    `${instance}-high-scores-policy`,
    {
      policyName: name,
      policyDocument: policyDocument([
        {
          sid: "EventsToLogs",
          principals: { service: ["events.amazonaws.com", "delivery.logs.amazonaws.com"] },
          actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
          resources: [pulumi.interpolate`${logGroup.arn}:*`],
        },
      ]),
    },
    { parent },
  );
  bus.route(
    `${instance}-high-scores`,
    {
      description: `Scores above ${logAbove} to the log group`,
      eventPattern: scoresAbove(logAbove),
      targetArn: logGroup.arn,
    },
    { parent, dependsOn: [policy] },
  );
  return logGroup;
}

function routeToTopic(
  instance: string,
  { context, bus, highScores: { alertAbove, email } }: ScoringSettings,
  parent: pulumi.Resource,
): NotificationTopic {
  const topic = new NotificationTopic(
    `${instance}-alerts`,
    {
      key: context.key,
      displayName: "Lead scores",
      ...(email === undefined ? {} : { email }),
      publishers: ["events.amazonaws.com"],
    },
    { parent },
  );
  bus.route(
    `${instance}-alerts`,
    {
      description: `Scores above ${alertAbove} to the topic`,
      eventPattern: scoresAbove(alertAbove),
      targetArn: topic.arn,
      inputTransformer: {
        inputPaths: { leadId: "$.detail.leadId", score: "$.detail.score", time: "$.detail.timestamp" },
        inputTemplate: '"Lead <leadId> scored <score> at <time>."',
      },
    },
    { parent, dependsOn: [topic.nodes.policy] },
  );
  return topic;
}
