import { WebAcl, WebAclAssociation } from "@pulumi/aws/wafv2";
import type * as pulumi from "@pulumi/pulumi";

const metrics = (name: string) => ({ cloudwatchMetricsEnabled: true, metricName: name, sampledRequestsEnabled: true });

/** AWS's managed rules in front of a stage: known bad inputs, the common rule set, and a ceiling a client address. */
export function protectStage(name: string, stageArn: pulumi.Input<string>, opts: pulumi.CustomResourceOptions): WebAcl {
  const managed = (ruleName: string, priority: number) => ({
    name: ruleName,
    priority,
    overrideAction: { none: {} },
    statement: { managedRuleGroupStatement: { vendorName: "AWS", name: ruleName } },
    visibilityConfig: metrics(ruleName),
  });
  const acl = new WebAcl(
    `${name}-firewall`,
    {
      scope: "REGIONAL",
      description: "In front of the scoring API",
      defaultAction: { allow: {} },
      rules: [
        managed("AWSManagedRulesKnownBadInputsRuleSet", 1),
        managed("AWSManagedRulesCommonRuleSet", 2),
        {
          name: "RateByAddress",
          priority: 3,
          action: { block: {} },
          // Requests of one address in five minutes: the stage's 100 a second, for one client alone.
          statement: { rateBasedStatement: { limit: 30_000, aggregateKeyType: "IP" } },
          visibilityConfig: metrics("RateByAddress"),
        },
      ],
      visibilityConfig: metrics(`${name}-firewall`),
    },
    opts,
  );
  new WebAclAssociation(`${name}-firewall-stage`, { resourceArn: stageArn, webAclArn: acl.arn }, opts);
  return acl;
}
