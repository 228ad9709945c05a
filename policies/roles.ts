/** Roles of the graph: their trust and identity policies, inline and attached. */
import type { GraphResource } from "../local/contracts.js";
import { MANAGED_POLICIES } from "../local/gateway/managed-policies";
import { type Policy, parsePolicy } from "../local/gateway/policy";
import type { ServiceDelivery } from "../local/gateway/service-access";
import { at, isText, listAt, type ResourceGraph, refersTo } from "./control";

const ROLE = "aws:iam/role:Role";

export const roleOf = (roleArn: unknown, graph: ResourceGraph): GraphResource | undefined =>
  graph.ofType(ROLE).find((candidate) => refersTo(roleArn, candidate));

/** Policies of AWS that local/gateway/managed-policies.ts does not hold grant nothing here; IAM4 reports each. */
export function policiesOf(role: GraphResource, graph: ResourceGraph): Policy[] {
  const inline = graph.referring("aws:iam/rolePolicy:RolePolicy", "role", role);
  const attached = [
    ...graph.referring("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "role", role).map(({ inputs }) => inputs.policyArn),
    ...listAt(role.inputs, "managedPolicyArns"),
  ].filter(isText);
  const documents = [
    ...inline.map(({ inputs }) => inputs.policy),
    ...listAt(role.inputs, "inlinePolicies").map((one) => at(one, "policy")),
    ...attached.map((arn) => graph.ofType("aws:iam/policy:Policy").find((one) => refersTo(arn, one))?.inputs.policy),
  ];
  return [
    ...documents.filter(isText).map((document) => parsePolicy(document, `policies of ${role.name}`)),
    ...attached.flatMap((arn) => {
      const document = MANAGED_POLICIES[arn];
      return document === undefined ? [] : [parsePolicy(document, arn)];
    }),
  ];
}

/** What a service that is given the role goes by. */
export function roleFor(role: GraphResource, graph: ResourceGraph): NonNullable<ServiceDelivery["role"]> {
  const trust = parsePolicy(role.inputs.assumeRolePolicy, `trust policy of ${role.name}`);
  return { arn: String(role.state.arn), trust, policies: policiesOf(role, graph) };
}
