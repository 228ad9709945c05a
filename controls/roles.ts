/** Roles of the graph: their trust and identity policies, inline and attached. */
import { type Policy, parsePolicy, type ServiceDelivery } from "@risk/local-aws/permissions";
import type { GraphResource } from "@risk/program-graph";
import { at, isText, listAt, type ResourceGraph, refersTo } from "./control";

const ROLE = "aws:iam/role:Role";

export const roleOf = (roleArn: unknown, graph: ResourceGraph): GraphResource | undefined =>
  graph.ofType(ROLE).find((candidate) => refersTo(roleArn, candidate));

/** Policies managed by AWS count as granting nothing here: IAM4 reports each. */
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
  return documents.filter(isText).map((document) => parsePolicy(document, `policies of ${role.name}`, "identity"));
}

/** The trust policy and the identity policies by which a service that is given the role is judged. */
export function roleFor(role: GraphResource, graph: ResourceGraph): NonNullable<ServiceDelivery["role"]> {
  const trust = parsePolicy(role.inputs.assumeRolePolicy, `trust policy of ${role.name}`, "trust");
  return { arn: String(role.state.arn), trust, policies: policiesOf(role, graph) };
}
