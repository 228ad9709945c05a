import { expect, it } from "vitest";
import type { GraphResource, ResourceBody } from "../../src/contracts";
import type { Firewall } from "../../src/services/apigateway/firewall";
import { firewallBodies } from "../../src/services/network";

const inFront = new Map<string, () => Firewall | undefined>();
const bodies = firewallBodies({
  protect: (stageArn, firewall) => void inFront.set(stageArn, firewall),
  unprotect: (stageArn) => void inFront.delete(stageArn),
});

function bodyOf(type: string): ResourceBody {
  const found = bodies.find((body) => body.type === type);
  if (found === undefined) throw new Error(`no body for ${type}`);
  return found;
}

function resource(body: ResourceBody, inputs: Readonly<Record<string, unknown>>): GraphResource {
  const { id, state } = body.outputs({ name: "wall", inputs, region: "us-east-1", accountId: "000000000000" });
  const graph = { urn: body.type, type: body.type, name: "wall", parent: undefined, id, inputs, state: { ...inputs, ...state } };
  return { ...graph, dependsOn: [], protect: false, ignoreChanges: [], secretInputs: [] };
}

it("a web ACL is in front of a stage with its newest rules, until either is gone", () => {
  const acl = bodyOf("aws:wafv2/webAcl:WebAcl");
  const association = bodyOf("aws:wafv2/webAclAssociation:WebAclAssociation");
  const limit = (size: number) => ({
    defaultAction: { allow: {} },
    rules: [
      {
        name: "BodySize",
        priority: 1,
        action: { block: {} },
        statement: {
          sizeConstraintStatement: {
            fieldToMatch: { body: { oversizeHandling: "MATCH" } },
            comparisonOperator: "GT",
            size,
            textTransformations: [{ priority: 0, type: "NONE" }],
          },
        },
      },
    ],
  });
  const wide = resource(acl, limit(100));
  const narrow = resource(acl, limit(10));
  const stage = "arn:aws:apigateway:us-east-1::/restapis/a/stages/v1";
  const link = resource(association, { resourceArn: stage, webAclArn: wide.state.arn });
  expect(() => association.create?.(link)).toThrow(/does not exist/);
  acl.create?.(wide);
  association.create?.(link);
  const blockedBy = () => inFront.get(stage)?.()?.({ path: "/v1/score", headers: { "user-agent": "x" }, bodyBytes: 50 });
  expect(blockedBy()).toBeUndefined();
  acl.update?.(narrow, wide);
  expect(blockedBy()).toBe("BodySize");
  association.delete?.(link);
  expect(inFront.size).toBe(0);
  acl.delete?.(narrow);
  expect(() => association.create?.(link)).toThrow(/does not exist/);
});
