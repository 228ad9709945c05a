import type * as pulumi from "@pulumi/pulumi";
import { NotificationTopic } from "../shared/topic";
import { EVENT_DETAIL_TYPE, eventSourceName } from "./scorer";
import type { StreamSettings } from "./settings";

/** A topic for single events, separate from the alarms about the platform: it has another audience and many more messages. */
export function announceHighRisks(
  instance: string,
  { bus, policy, profile, context, highRiskEmail: email }: StreamSettings,
  parent: pulumi.Resource,
): void {
  const topic = new NotificationTopic(
    `${instance}-alerts`,
    {
      key: context.key,
      displayName: "High-risk events",
      ...(email === undefined ? {} : { email }),
      publishers: ["events.amazonaws.com"],
    },
    { parent },
  );
  bus.route(
    `${instance}-high-risk`,
    {
      description: `Scores of ${profile.id} in an alerting band`,
      eventPattern: JSON.stringify({
        source: [eventSourceName(profile.id)],
        "detail-type": [EVENT_DETAIL_TYPE],
        // The names of the bands, not their limits: changing a limit must not touch this rule.
        detail: { band: policy.bands.filter(({ alert }) => alert).map(({ name }) => name) },
      }),
      targetArn: topic.arn,
      inputTransformer: {
        inputPaths: {
          eventId: "$.detail.eventId",
          score: "$.detail.score",
          band: "$.detail.band",
          // Reasons are sorted by their share of the score.
          reason: "$.detail.reasons[0].text",
          occurredAt: "$.detail.occurredAt",
        },
        inputTemplate: '"Event <eventId> of <occurredAt> scored <score> (<band>): <reason>."',
      },
    },
    { parent, dependsOn: [topic.nodes.policy] },
  );
}
