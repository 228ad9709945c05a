import { compileFirewall, type Firewall } from "@risk/local-aws/testing";
import { beforeAll, describe, expect, it } from "vitest";
import { MAX_LABELS } from "../../functions/rest/feedback-schema";
import { MAX_REQUEST_BYTES } from "../../functions/rest/read-request";
import { Api } from "../../packages/local-aws/tests/apigateway/support";
import { evaluateStack } from "../helpers/recorder";

/** Inputs of prod's web ACL, with the routes of every trigger. */
let acl: Readonly<Record<string, unknown>>;
let prod: Firewall;
beforeAll(async () => {
  acl = (await evaluateStack("prod", { "risk:fraud.triggers": "kinesis,rest" })).find(
    "aws:wafv2/webAcl:WebAcl",
    "scoring-firewall",
  ).inputs;
  prod = compileFirewall(acl, "prod");
}, 60_000);

const labels = JSON.stringify({
  labels: Array.from({ length: MAX_LABELS }, (_, index) => ({
    event_id: String(index).padEnd(512, "x"),
    label: true,
    labelled_at: "2026-03-20T09:30:00.123456789+00:00",
    source: "s".repeat(64),
  })),
});
const headers = { "user-agent": "curl/8" };
const request = (path: string, bodyBytes: number) => ({ path, headers, bodyBytes });

describe("the firewall of the stacks", () => {
  it("lets the largest valid request of every route pass", () => {
    expect(labels.length).toBeGreaterThan(MAX_REQUEST_BYTES);
    expect(prod(request("/v1/feedback", labels.length))).toBeUndefined();
    expect(prod(request("/v1/events", labels.length))).toBeUndefined();
    for (const path of ["/v1/score", "/v1/predict", "/v1/device"]) expect(prod(request(path, MAX_REQUEST_BYTES))).toBeUndefined();
  });

  it("stops bodies that no scoring route accepts", () => {
    expect(prod(request("/v1/score", MAX_REQUEST_BYTES + 1))).toBe("BodySize");
    expect(prod(request("/v1/score", Number.POSITIVE_INFINITY))).toBe("BodySize");
  });

  it("lets programs without a user agent pass", () => {
    expect(prod({ path: "/v1/score", headers: {}, bodyBytes: 100 })).toBeUndefined();
  });

  it("would stop both without its overrides, as AWS's rules do by default", () => {
    const rules = Array.isArray(acl.rules) ? acl.rules.map((rule: unknown) => structuredClone(Object(rule))) : [];
    for (const { statement } of rules) delete statement.managedRuleGroupStatement?.ruleActionOverrides;
    const plain = compileFirewall({ ...acl, rules }, "plain");
    expect(plain(request("/v1/feedback", 8193))).toBe("AWSManagedRulesCommonRuleSet#SizeRestrictions_BODY");
    expect(plain(request("/v1/feedback", 8192))).toBeUndefined();
    expect(plain({ path: "/v1/score", headers: {}, bodyBytes: 1 })).toBe("AWSManagedRulesCommonRuleSet#NoUserAgent_HEADER");
  });
});

describe("a web ACL", () => {
  const rule = (statement: unknown, more: Record<string, unknown> = { action: { block: {} } }) =>
    compileFirewall({ defaultAction: { allow: {} }, rules: [{ name: "Mine", priority: 0, statement, ...more }] }, "acl");
  const size = (oversizeHandling: string) => ({
    sizeConstraintStatement: { fieldToMatch: { body: { oversizeHandling } }, comparisonOperator: "GT", size: 20_000 },
  });

  it("sees 16 KB of a body unless it asks for more, and takes what it can't see for too large", () => {
    expect(rule(size("MATCH"))(request("/", 16_384))).toBeUndefined();
    expect(rule(size("MATCH"))(request("/", 16_385))).toBe("Mine");
  });

  it.each([
    [{ geoMatchStatement: {} }, undefined, 'Mine: the statement "geoMatchStatement" has no local meaning'],
    [
      { managedRuleGroupStatement: { name: "Nope" } },
      { overrideAction: { none: {} } },
      "managedRuleGroupStatement.name: expected one of",
    ],
    [
      { managedRuleGroupStatement: { name: "AWSManagedRulesCommonRuleSet", ruleActionOverrides: [{ name: "Typo" }] } },
      { overrideAction: { none: {} } },
      "ruleActionOverrides[].name: expected one of NoUserAgent_HEADER",
    ],
    [size("CONTINUE"), undefined, "oversizeHandling: only MATCH has a local meaning, got CONTINUE"],
    [size("MATCH"), { action: { captcha: {} } }, "Mine action: only block has a local meaning, got captcha"],
  ])("refuses %o", (statement, more, message) => {
    expect(() => rule(statement, more)).toThrow(message);
  });

  it("answers what it blocks with the API's own response, before routes, keys and throttles", async () => {
    const api = new Api();
    await api.start();
    try {
      const { id } = await api.standard({ apiKeyRequired: true });
      await api.add("Response", "waf", {
        restApiId: id,
        responseType: "WAF_FILTERED",
        responseTemplates: { "application/json": '{"code":"waf_filtered"}' },
      });
      await api.deploy(id);
      api.protect(() => "Mine");
      const response = await api.post("/nowhere", "{}");
      expect([response.status, await response.json()]).toEqual([403, { code: "waf_filtered" }]);
    } finally {
      await api.end();
    }
  });
});
