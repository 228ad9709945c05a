import type { Stage } from "@pulumi/aws/apigateway";
import type { input } from "@pulumi/aws/types";
import { WebAcl, WebAclAssociation } from "@pulumi/aws/wafv2";
import type * as pulumi from "@pulumi/pulumi";
import { MAX_REQUEST_BYTES } from "../../functions/rest/read-request";
import { environmentOf, type Naming } from "../shared/naming";

type Rule = input.wafv2.WebAclRule;

const metrics = (name: string) => ({ cloudwatchMetricsEnabled: true, metricName: name, sampledRequestsEnabled: true });
const asItIs = [{ priority: 0, type: "NONE" }];

/**
 * AWS's managed rules in front of a stage: known bad inputs, the common rule set, and limits for bodies and for client addresses.
 * @param largeBodiesAt ends of the paths whose bodies may be larger than a firewall can measure: feedback accepts 500 labels and events as
 * many events, up to 2 MB, and both refuse larger bodies themselves
 */
export function protectStage(
  name: string,
  naming: Naming,
  stage: Stage,
  largeBodiesAt: readonly string[],
  parent: pulumi.Resource,
): void {
  const acl = new WebAcl(
    `${name}-firewall`,
    {
      scope: "REGIONAL",
      description: "In front of the scoring API",
      defaultAction: { allow: {} },
      // The most of a body that API Gateway passes on; anything longer counts as oversize. Regional ACLs accept it too, whatever the
      // SDK's comment says (terraform-provider-aws #37588).
      associationConfig: { requestBodies: [{ apiGateway: { defaultSizeInspectionLimit: "KB_64" } }] },
      rules: [
        bodySize(0, largeBodiesAt),
        managed("AWSManagedRulesKnownBadInputsRuleSet", 1),
        // The rules on bodies over 8 KB and on calls without a User-Agent are meant for browsers: 65 labels make 8 KB, and programs omit the
        // header. So they only count. https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-baseline.html
        managed("AWSManagedRulesCommonRuleSet", 2, ["SizeRestrictions_BODY", "NoUserAgent_HEADER"]),
        {
          name: "RateByAddress",
          priority: 3,
          action: { block: {} },
          // Requests of one address in five minutes: the stage's 100 per second used by a single client.
          statement: { rateBasedStatement: { limit: 30_000, aggregateKeyType: "IP" } },
          visibilityConfig: metrics("RateByAddress"),
        },
      ],
      // The metrics' dimension WebACL: all stacks of the account share one namespace.
      visibilityConfig: metrics(`${name}-firewall-${environmentOf(naming)}`),
    },
    { parent },
  );
  new WebAclAssociation(`${name}-firewall-stage`, { resourceArn: stage.arn, webAclArn: acl.arn }, { parent });
}

/** A managed rule group of AWS, in which the named rules count instead of blocking. */
function managed(name: string, priority: number, counted: readonly string[] = []): Rule {
  return {
    name,
    priority,
    overrideAction: { none: {} },
    statement: {
      managedRuleGroupStatement: {
        vendorName: "AWS",
        name,
        ruleActionOverrides: counted.map((rule) => ({ name: rule, actionToUse: { count: {} } })),
      },
    },
    visibilityConfig: metrics(name),
  };
}

/** Stops what no route would accept anyway, before it costs an invocation. */
function bodySize(priority: number, largeBodiesAt: readonly string[]): Rule {
  const tooLarge = {
    sizeConstraintStatement: {
      fieldToMatch: { body: { oversizeHandling: "MATCH" } },
      comparisonOperator: "GT",
      size: MAX_REQUEST_BYTES,
      textTransformations: asItIs,
    },
  };
  const elsewhere = largeBodiesAt.map((searchString) => ({
    notStatement: {
      statement: {
        byteMatchStatement: {
          fieldToMatch: { uriPath: {} },
          positionalConstraint: "ENDS_WITH",
          searchString,
          textTransformations: asItIs,
        },
      },
    },
  }));
  return {
    name: "BodySize",
    priority,
    action: { block: {} },
    statement: { andStatement: { statements: [tooLarge, ...elsewhere] } },
    visibilityConfig: metrics("BodySize"),
  };
}
