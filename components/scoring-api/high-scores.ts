/** Where high lead scores go: above one limit to a log group, above a higher one to people. */
import { LogGroup, LogResourcePolicy } from "@pulumi/aws/cloudwatch";
import * as pulumi from "@pulumi/pulumi";
import { policyDocument } from "../shared/iam";
import { NotificationTopic } from "../shared/topic";
import type { ScoringApiArgs } from "./args";
import { eventNames } from "./event-names";

const LEAD_EVENTS = eventNames("lead");

export function routeHighScores(
  instance: string,
  args: ScoringApiArgs,
  parent: pulumi.Resource,
): { readonly logGroup: LogGroup; readonly topic: NotificationTopic } {
  return { logGroup: routeToLogs(instance, args, parent), topic: routeToTopic(instance, args, parent) };
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
  { naming, context, bus, routeLogScore }: ScoringApiArgs,
  parent: pulumi.Resource,
): LogGroup {
  const logGroup = new LogGroup(
    `${instance}-high-scores`,
    {
      // EventBridge delivers to log groups of this prefix only.
      name: `/aws/events/${instance}-high-scores-${naming.environment}-${naming.suffix}`,
      retentionInDays: context.logRetentionDays,
      kmsKeyId: context.key.arn,
    },
    { parent },
  );
  const policy = new LogResourcePolicy(
    `${instance}-high-scores-policy`,
    {
      policyName: `${instance}-high-scores-${naming.environment}-${naming.suffix}`,
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
      description: `Scores above ${routeLogScore} to the log group`,
      eventPattern: scoresAbove(routeLogScore),
      targetArn: logGroup.arn,
    },
    { parent, dependsOn: [policy] },
  );
  return logGroup;
}

function routeToTopic(
  instance: string,
  { context, bus, notificationEmail, routeAlertScore }: ScoringApiArgs,
  parent: pulumi.Resource,
): NotificationTopic {
  const topic = new NotificationTopic(
    `${instance}-alerts`,
    {
      key: context.key,
      displayName: "Lead scores",
      email: notificationEmail,
      publishers: ["events.amazonaws.com"],
    },
    { parent },
  );
  bus.route(
    `${instance}-alerts`,
    {
      description: `Scores above ${routeAlertScore} to the topic`,
      eventPattern: scoresAbove(routeAlertScore),
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
