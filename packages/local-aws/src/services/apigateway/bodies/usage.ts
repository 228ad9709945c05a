/** Local bodies of who may call an API: usage plans and API keys. */
import { createHash } from "node:crypto";
import type { ResourceBody } from "../../../contracts";
import { type Fields, fieldsOf, writtenBy } from "../../../engine/fields";
import { physicalName } from "../../../engine/names";
import type { Throttle } from "../api";
import type { ApiGateway } from "../server";
import { anyName, idOf, tags } from "./inputs";

export const usageBodies = (gateway: ApiGateway): ResourceBody[] => [
  usagePlanBody(gateway),
  apiKeyBody(gateway),
  usagePlanKeyBody(gateway),
];

function throttleOf(fields: Fields): Throttle | undefined {
  const [rate, burst] = [fields.number("rateLimit"), fields.number("burstLimit")];
  return rate === undefined && burst === undefined
    ? undefined
    : { rate: rate ?? 10_000, burst: burst ?? Math.max(1, Math.ceil(rate ?? 5_000)) };
}

const usagePlanBody = (gateway: ApiGateway): ResourceBody => ({
  type: "aws:apigateway/usagePlan:UsagePlan",
  honoured: ["name", "apiStages", "throttleSettings", "quotaSettings"],
  cloudOnly: { ...tags, description: "shown in the console only" },
  replaceOn: [],
  autoName: anyName,
  outputs: ({ name, inputs, region }) => {
    const id = idOf("plan", name);
    return { id, state: { name: physicalName(anyName, name, inputs), arn: `arn:aws:apigateway:${region}::/usageplans/${id}` } };
  },
  ...writtenBy((fields, resource) => {
    const quota = fields.in("quotaSettings");
    const dailyQuota = quota.number("limit");
    if (dailyQuota !== undefined && (quota.text("period") !== "DAY" || (quota.number("offset") ?? 0) !== 0))
      throw new Error("quotaSettings: expected a limit of a DAY without an offset; other periods have no local body.");
    gateway.usage.putPlan({
      id: resource.id,
      stages: fields.items("apiStages").map((stage) => {
        const throttles: Record<string, Throttle> = {};
        for (const item of stage.items("throttles")) {
          const throttle = throttleOf(item);
          if (throttle !== undefined) throttles[item.need("path")] = throttle;
        }
        return { apiId: stage.need("apiId"), stage: stage.need("stage"), throttles };
      }),
      throttle: throttleOf(fields.in("throttleSettings")),
      dailyQuota,
    });
  }),
  delete: ({ id }) => gateway.usage.deletePlan(id),
});

const apiKeyBody = (gateway: ApiGateway): ResourceBody => ({
  type: "aws:apigateway/apiKey:ApiKey",
  honoured: ["name", "value", "enabled"],
  cloudOnly: { ...tags, description: "shown in the console only" },
  replaceOn: ["value"],
  autoName: anyName,
  outputs: ({ name, inputs, region }) => {
    const id = idOf("key", [name, inputs.value].filter((part) => part !== undefined).join(" "));
    // Derived from the name, so that a key keeps working after a restart; it only opens this machine's loopback port.
    const value = inputs.value ?? createHash("sha256").update(`api key ${name}`).digest("base64url").slice(0, 40);
    return {
      id,
      state: { name: physicalName(anyName, name, inputs), value, arn: `arn:aws:apigateway:${region}::/apikeys/${id}` },
    };
  },
  ...writtenBy((fields, resource) => {
    gateway.usage.putKey({ id: resource.id, value: fields.need("value"), enabled: fields.flag("enabled") ?? true });
  }),
  delete: ({ id }) => gateway.usage.deleteKey(id),
});

const usagePlanKeyBody = (gateway: ApiGateway): ResourceBody => ({
  type: "aws:apigateway/usagePlanKey:UsagePlanKey",
  honoured: ["keyId", "keyType", "usagePlanId"],
  cloudOnly: {},
  replaceOn: ["keyId", "keyType", "usagePlanId"],
  outputs: ({ inputs }) => ({ id: String(inputs.keyId), state: {} }),
  create: (resource) => {
    const fields = fieldsOf(resource);
    if (fields.need("keyType") !== "API_KEY") throw new Error("keyType: expected API_KEY.");
    gateway.usage.addKey(fields.need("usagePlanId"), fields.need("keyId"));
  },
  delete: ({ inputs }) => gateway.usage.removeKey(String(inputs.usagePlanId), String(inputs.keyId)),
});
