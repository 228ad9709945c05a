/** Whether AWS lets a service deliver: evaluates the policies of the target and of its key with the context that the service sends. */
import type { ConditionContext } from "./conditions";
import type { KeyUse, RoleUse, ServicePair, TargetKind } from "./pair";
import { evaluateIdentity, evaluateResource, type Policy } from "./policy";
import { SERVICE_PAIRS } from "./service-pairs";

export interface ServiceDelivery {
  /** `events.amazonaws.com` */
  readonly service: string;
  readonly target: TargetKind;
  readonly targetArn: string;
  /** The rule, alarm, bucket or topic. */
  readonly sourceArn: string;
  /** The target's own policy; without one, nobody is allowed. */
  readonly policy: Policy | undefined;
  /** The customer-managed key that encrypts the target; absent without one. */
  readonly key?: { readonly arn: string; readonly policy: Policy | undefined };
  /** The role that the service is given; absent without one. */
  readonly role?: { readonly arn: string; readonly trust: Policy; readonly policies: readonly Policy[] };
}

export interface Place {
  readonly accountId: string;
  readonly region: string;
}

export interface Refusal {
  readonly by: "resource policy" | "key policy" | "role";
  /** The action that isn't allowed, and the statement that would allow it. */
  readonly message: string;
}

/** The message about a pair that isn't in the table. */
export const unknownPair = (service: string, target: string): string =>
  `How AWS lets ${service} deliver to ${target} is not known; look it up in AWS's documentation and add the pair to packages/local-aws/src/permissions/service-pairs.ts.`;

/** Undefined for a pair that is not in the table. */
export const findPair = (service: string, target: TargetKind, { region }: Place): ServicePair | undefined =>
  SERVICE_PAIRS.find((pair) => pair.target === target && pair.service.replace("REGION", region) === service);

/** @throws Error for a pair that is not in the table. */
export function pairOf(service: string, target: TargetKind, place: Place): ServicePair {
  const found = findPair(service, target, place);
  if (found === undefined) throw new Error(unknownPair(service, `a ${target}`));
  return found;
}

/** The first policy that refuses the delivery; undefined when AWS would deliver. */
export function refusalOf(delivery: ServiceDelivery, place: Place): Refusal | undefined {
  const { service, targetArn, policy, key } = delivery;
  const pair = pairOf(service, delivery.target, place);
  const asker = { arns: [], accountId: undefined, service };
  const allows = (asked: Policy | undefined, action: string, resource: string, context: ConditionContext) =>
    asked !== undefined && evaluateResource(asked, { action, resource, context }, asker) === "allow";
  const { resource, role } = pair;
  // Statements about log groups are written for the streams in them.
  const asked = delivery.target === "log group" ? `${targetArn}:log-stream:any` : targetArn;
  const unfit = role === undefined ? undefined : roleRefusal(delivery, role, asked, place);
  if (unfit !== undefined) return { by: "role", message: unfit };
  if (resource !== undefined) {
    const context = resourceContext(delivery, resource.sends, place);
    const action = resource.actions.find((one) => !allows(policy, one, asked, context));
    if (action !== undefined)
      return { by: "resource policy", message: refused(delivery, action, targetArn, "its resource policy", resource.sends) };
  }
  if (key === undefined) return undefined;
  for (const use of pair.key) {
    const context = keyContext(delivery, use, place);
    const action = use.actions.find((one) => !allows(key.policy, one, key.arn, context));
    if (action !== undefined)
      return {
        by: "key policy",
        message: refused(delivery, action, key.arn, `the policy of the key of ${targetArn}`, keySends(use)),
      };
  }
  return undefined;
}

/** Why the service cannot reach the target as the role that it was given. */
function roleRefusal(delivery: ServiceDelivery, use: RoleUse, asked: string, place: Place): string | undefined {
  const { service, sourceArn, targetArn, role } = delivery;
  const needed = `${use.actions.join(", ")} on ${use.on === "*" ? "*" : targetArn}`;
  if (role === undefined)
    return `${service} reaches a ${delivery.target} as a role only, and ${sourceArn} names none: name a role that ${service} may assume and that allows ${needed}.`;
  const question = {
    action: "sts:AssumeRole",
    resource: role.arn,
    context: only(sourceContext(delivery, place), use.trustSends),
  };
  if (evaluateResource(role.trust, question, { arns: [], accountId: undefined, service }) !== "allow")
    return (
      `${service} may not assume ${role.arn}, the role of ${sourceArn}: let Principal {"Service": "${service}"} in, ` +
      `with no conditions but on ${use.trustSends.join(", ")}.`
    );
  const lacks = (action: string): boolean => {
    // The other actions on a bucket are on its objects.
    const named = action === "s3:ListBucket" ? asked.replace(/\/.*$/, "") : asked;
    const resource = use.on === "*" ? "*" : named;
    return evaluateIdentity(role.policies, { action, resource, context: {} }) !== "allow";
  };
  const missing = use.actions.filter(lacks);
  if (missing.length === 0) return undefined;
  return `The role ${role.arn} of ${sourceArn} lacks ${missing.join(", ")} on ${use.on === "*" ? "*" : targetArn}, with which ${service} reaches it; grant it.`;
}

function sourceContext({ sourceArn }: ServiceDelivery, { accountId }: Place): Record<string, string> {
  return { "aws:SourceArn": sourceArn, "aws:SourceAccount": accountId };
}

function resourceContext(delivery: ServiceDelivery, sends: readonly string[] | "no conditions", place: Place): ConditionContext {
  if (sends === "no conditions") return {};
  return {
    "aws:SecureTransport": "true",
    "aws:PrincipalIsAWSService": "true",
    "aws:PrincipalServiceName": delivery.service,
    ...only(sourceContext(delivery, place), sends),
  };
}

function keyContext(delivery: ServiceDelivery, { sends, encryptionContext }: KeyUse, place: Place): ConditionContext {
  const base = only(sourceContext(delivery, place), sends);
  if (encryptionContext === undefined) return base;
  const { key, value } = encryptionContext;
  const logs = `arn:aws:logs:${place.region}:${place.accountId}:*`;
  return { ...base, [`kms:EncryptionContext:${key}`]: value === "target" ? delivery.targetArn : logs };
}

const only = (context: Readonly<Record<string, string>>, keys: readonly string[]): Record<string, string> =>
  Object.fromEntries(Object.entries(context).filter(([key]) => keys.includes(key)));

/** Condition keys that a statement of a key policy may use. */
export const keySends = ({ sends, encryptionContext }: KeyUse): readonly string[] => [
  ...sends,
  ...(encryptionContext === undefined ? [] : [`kms:EncryptionContext:${encryptionContext.key}`]),
];

function refused(
  { service, sourceArn }: ServiceDelivery,
  action: string,
  resource: string,
  policy: string,
  sends: readonly string[] | "no conditions",
): string {
  const conditions =
    sends === "no conditions" || sends.length === 0
      ? "without a condition, because the service sends none that could be met"
      : `with no conditions but on ${sends.join(", ")}`;
  return (
    `${service} may not ${action} on ${resource} from ${sourceArn}: ${policy} does not allow it. ` +
    `Add an Allow statement for Principal {"Service": "${service}"}, ${conditions}.`
  );
}
