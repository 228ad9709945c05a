/**
 * The security controls that a resource graph must meet. Plain functions over evaluated resources: `npm run policies` runs
 * them on the stacks, tests run them on single resources.
 */
import type { GraphResource } from "../local/graph";
import { apiGatewayRules } from "./api-gateway";
import { cloudWatchRules } from "./cloudwatch";
import { dynamoDbRules } from "./dynamodb";
import { eventBridgeRules } from "./eventbridge";
import { type Exemption, exemptions } from "./exemptions";
import { iamRules } from "./iam";
import { keyUseRules } from "./key-use";
import { kinesisRules } from "./kinesis";
import { lambdaRules } from "./lambda";
import { messagingRules } from "./messaging";
import { pipelineRules } from "./pipeline";
import { protectionRules } from "./protection";
import { redshiftRules } from "./redshift";
import { redshiftServerlessRules } from "./redshift-serverless";
import { PolicyGraph, type Rule } from "./rule";
import { s3Rules } from "./s3";
import { secretRules } from "./secrets";
import { serviceDeliveryRules } from "./service-delivery";
import { stateMachineRules } from "./state-machines";
import { tagRules } from "./tags";

export { notApplicable } from "./not-applicable";

export const rules: readonly Rule[] = [
  ...apiGatewayRules,
  ...lambdaRules,
  ...kinesisRules,
  ...dynamoDbRules,
  ...s3Rules,
  ...messagingRules,
  ...eventBridgeRules,
  ...serviceDeliveryRules,
  ...keyUseRules,
  ...redshiftServerlessRules,
  ...redshiftRules,
  ...pipelineRules,
  ...stateMachineRules,
  ...protectionRules,
  ...secretRules,
  ...iamRules,
  ...cloudWatchRules,
  ...tagRules,
];

/** What a rule found on one resource. */
export interface Finding {
  readonly control: string;
  readonly resource: GraphResource;
  readonly message: string;
  /** Why the violation is accepted; undefined when it is not. */
  readonly exemption: Exemption | undefined;
}

export interface RuleResult {
  readonly rule: Rule;
  /** Resources that the rule looked at. */
  readonly checked: readonly GraphResource[];
  readonly findings: readonly Finding[];
}

export interface GraphResult {
  readonly results: readonly RuleResult[];
  /** Violations that no exemption excuses. */
  readonly violations: readonly Finding[];
  /** Exemptions for this stack that excuse nothing. */
  readonly unusedExemptions: readonly Exemption[];
}

export interface CheckOptions {
  readonly stack: string;
  readonly rules?: readonly Rule[];
  readonly exemptions?: readonly Exemption[];
}

/** Checks all resources against all rules. The graph is in order when there are neither violations nor unused exemptions. */
export function checkGraph(resources: readonly GraphResource[], options: CheckOptions): GraphResult {
  const graph = new PolicyGraph(resources);
  const candidates = (options.exemptions ?? exemptions).filter(
    ({ stacks }) => stacks === undefined || stacks.includes(options.stack),
  );
  const results = (options.rules ?? rules).map((rule): RuleResult => {
    const checked = graph.ofType(...rule.appliesTo);
    const findings = checked.flatMap((resource) =>
      rule.check(resource, graph).map((message) => ({
        control: rule.control,
        resource,
        message,
        exemption: candidates.find((exemption) => excuses(exemption, rule, resource)),
      })),
    );
    return { rule, checked, findings };
  });
  const findings = results.flatMap((result) => result.findings);
  const used = new Set(findings.map(({ exemption }) => exemption));
  return {
    results,
    violations: findings.filter(({ exemption }) => exemption === undefined),
    unusedExemptions: candidates.filter((exemption) => !used.has(exemption)),
  };
}

function excuses(exemption: Exemption, rule: Rule, resource: GraphResource): boolean {
  if (exemption.control !== rule.control) return false;
  const parts = exemption.resource.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`).test(resource.name);
}
