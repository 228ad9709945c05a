/** How many requests callers may make, and the key of the first caller. */
import { ApiKey, UsagePlan, UsagePlanKey } from "@pulumi/aws/apigateway";
import type * as pulumi from "@pulumi/pulumi";
import type { Gateway } from "./gateway";
import type { RouteTarget } from "./route";
import type { ScoringSettings } from "./settings";

export interface Usage {
  readonly usagePlan: UsagePlan;
  /** Undefined unless `auth.mode` is `apiKey`. */
  readonly apiKey: ApiKey | undefined;
}

export function createUsagePlan(
  instance: string,
  { limits, auth }: ScoringSettings,
  { api, stage }: Gateway,
  routes: readonly Pick<RouteTarget, "method" | "path">[],
  parent: pulumi.Resource,
): Usage {
  const throttle = { rateLimit: limits.perSecond, burstLimit: limits.burst };
  const usagePlan = new UsagePlan(
    `${instance}-usage-plan`,
    {
      description: "Callers of the scoring API",
      apiStages: [
        {
          apiId: api.id,
          stage: stage.stageName,
          throttles: routes.map(({ method, path }) => ({ path: `${path}/${method}`, ...throttle })),
        },
      ],
      throttleSettings: throttle,
      quotaSettings: { limit: limits.perDay, period: "DAY" },
    },
    { parent },
  );
  return { usagePlan, apiKey: auth.mode === "apiKey" ? createApiKey(instance, usagePlan, parent) : undefined };
}

function createApiKey(instance: string, usagePlan: UsagePlan, parent: pulumi.Resource): ApiKey {
  const apiKey = new ApiKey(
    `${instance}-api-key`,
    { description: "Default caller of the scoring API", enabled: true },
    { parent },
  );
  new UsagePlanKey(`${instance}-usage-plan-key`, { keyId: apiKey.id, keyType: "API_KEY", usagePlanId: usagePlan.id }, { parent });
  return apiKey;
}
