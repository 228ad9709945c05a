/** The state machine that promotes an approved version. */
import * as pulumi from "@pulumi/pulumi";
import type { PlatformFunction } from "../shared/function";
import { noticesOf } from "../shared/pipeline-notices";
import { callFunctions } from "../shared/pipeline-permissions";
import { StateMachine } from "../shared/state-machine";
import { TIMEOUT_SECONDS } from "./functions";
import { groupName, versionsOf } from "./groups";
import { promotionDefinition } from "./promotion-definition";
import type { TrainingSettings } from "./settings";

export function createPromotionMachine(
  instance: string,
  settings: TrainingSettings,
  promotion: PlatformFunction,
  parent: pulumi.Resource,
): StateMachine {
  const { context, account, canary, lateMinutes, transform, datasets } = settings;
  const canarySeconds = canary.minutes * 60;
  const definition = pulumi
    .output({ notices: noticesOf(context, account), arn: promotion.arn })
    .apply(({ notices, arn }) =>
      promotionDefinition({ notices, promotion: { arn, timeoutSeconds: TIMEOUT_SECONDS.promotion }, canarySeconds }),
    );
  return new StateMachine(
    `${instance}-promotion-steps`,
    {
      context,
      description: "Promotes approved models",
      definition,
      permissions: [
        callFunctions([promotion]),
        {
          sid: "DescribeVersions",
          actions: ["sagemaker:DescribeModelPackage"],
          resources: datasets.map(({ name }) => versionsOf(groupName(instance, context.naming, name).name, account)),
        },
      ],
      lateMinutes: lateMinutes + canary.minutes,
      ...(transform.promotionMachine ? { transform: transform.promotionMachine } : {}),
    },
    { parent },
  );
}
