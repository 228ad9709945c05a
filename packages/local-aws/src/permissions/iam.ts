/**
 * The account's roles and policies, and the decision whether a caller may do something: identity policies of the role, plus the
 * resource policies of buckets and keys.
 */
import { AwsError, type Permission, type Principal } from "../contracts";
import type { ConditionContext } from "./conditions";
import {
  delegatesToAccount,
  evaluateIdentity,
  evaluateResource,
  type Policy,
  parsePolicy,
  type Question,
  type Verdict,
} from "./policy";

interface RoleRecord {
  readonly name: string;
  readonly arn: string;
  readonly trust: Policy;
  /** By name. */
  readonly policies: Map<string, Policy>;
}

export type Decision = { readonly allowed: true } | { readonly allowed: false; readonly reason: string };

export class Iam {
  private readonly roles = new Map<string, RoleRecord>();
  private readonly resourcePolicies = new Map<string, Policy>();

  constructor(
    private readonly accountId: string,
    private readonly region: string,
  ) {}

  /** Registers a role or replaces its trust policy; its other policies are kept. */
  putRole(name: string, arn: string, assumeRolePolicy: unknown): void {
    this.roles.set(name, {
      name,
      arn,
      trust: parsePolicy(assumeRolePolicy, `trust policy of role ${name}`, "trust"),
      policies: this.roles.get(name)?.policies ?? new Map(),
    });
  }

  putInlinePolicy(roleName: string, policyName: string, document: unknown): void {
    this.role(roleName).policies.set(policyName, parsePolicy(document, `policy ${policyName} of role ${roleName}`, "identity"));
  }

  /** Nothing happens when role or policy are gone. */
  removeInlinePolicy(roleName: string, policyName: string): void {
    this.findRole(roleName)?.policies.delete(policyName);
  }

  /** @throws AwsError DeleteConflict while it has policies. */
  deleteRole(name: string): void {
    const role = this.findRole(name);
    if (role === undefined) return;
    const left = [...role.policies.keys()];
    if (left.length > 0)
      throw new AwsError(
        "DeleteConflict",
        `Cannot delete entity, must delete policies first: role ${role.name} has ${left.join(", ")}.`,
        409,
      );
    this.roles.delete(role.name);
  }

  roleNames(): string[] {
    return [...this.roles.keys()].sort();
  }

  private findRole(nameOrArn: string): RoleRecord | undefined {
    return this.roles.get(nameOrArn.slice(nameOrArn.lastIndexOf("/") + 1));
  }

  /** Throws when the role does not exist. `name` may be a role's name or ARN. */
  role(name: string): RoleRecord {
    const found = this.findRole(name);
    if (!found) throw new Error(`The IAM role '${name}' does not exist; declare it as aws.iam.Role before it is used.`);
    return found;
  }

  /** Whether a service (`lambda.amazonaws.com`) may assume the role. */
  assumableBy(roleName: string, service: string): boolean {
    const role = this.role(roleName);
    const question = { action: "sts:AssumeRole", resource: role.arn, context: { "aws:SourceAccount": this.accountId } };
    return evaluateResource(role.trust, question, { arns: [], accountId: undefined, service }) === "allow";
  }

  /**
   * Whether a caller may assume the role: the role's trust policy has to name the caller, or leave it to the account's IAM policies and one of
   * those allow it (IAM User Guide, "Methods to assume a role"). The owner stands for an administrator of the account.
   */
  mayAssume(principal: Principal, roleArn: string): boolean {
    const role = this.findRole(roleArn);
    if (role === undefined || role.arn !== roleArn) return false;
    const question = { action: "sts:AssumeRole", resource: role.arn, context: { "aws:PrincipalAccount": this.accountId } };
    const caller = principal.kind === "owner" ? undefined : this.roles.get(principal.roleName);
    const arns = caller === undefined ? [principal.arn] : [principal.arn, caller.arn];
    const trust = evaluateResource(role.trust, question, { arns, accountId: this.accountId, service: undefined });
    if (trust === "explicit-deny") return false;
    const identity = principal.kind === "owner" ? "allow" : evaluateIdentity([...(caller?.policies.values() ?? [])], question);
    const delegated = identity === "allow" && delegatesToAccount(role.trust, question, this.accountId);
    return identity !== "explicit-deny" && (trust === "allow" || delegated);
  }

  /** Sets or, with `undefined`, removes the policy of a bucket or key. */
  setResourcePolicy(resourceArn: string, document: unknown): void {
    if (document === undefined) this.resourcePolicies.delete(resourceArn);
    else this.resourcePolicies.set(resourceArn, parsePolicy(document, `policy of ${resourceArn}`, "resource"));
  }

  resourcePolicy(resourceArn: string): Policy | undefined {
    return this.resourcePolicies.get(resourceArn);
  }

  /** Decides one permission of a signed request. The owner may do everything. */
  authorize(principal: Principal, permission: Permission): Decision {
    if (principal.kind === "owner") return { allowed: true };
    const role = this.roles.get(principal.roleName);
    if (!role)
      return {
        allowed: false,
        reason: this.denial(principal, permission, `because the role ${principal.roleName} does not exist`),
      };
    const question: Question = {
      action: permission.action,
      resource: permission.resource,
      context: this.context(role, permission),
    };
    const identity = evaluateIdentity([...role.policies.values()], question);
    const resource = this.resourceVerdict(principal, role, question);
    if (identity === "explicit-deny")
      return { allowed: false, reason: this.denial(principal, permission, "with an explicit deny in an identity-based policy") };
    if (resource === "explicit-deny")
      return { allowed: false, reason: this.denial(principal, permission, "with an explicit deny in a resource-based policy") };
    const delegated = this.isDelegated(question);
    if ((identity === "allow" && delegated) || resource === "allow") return { allowed: true };
    const silent = delegated ? "identity-based" : "resource-based";
    const cause = `because no ${silent} policy allows the ${permission.action} action`;
    return { allowed: false, reason: this.denial(principal, permission, cause) };
  }

  /**
   * IAM policies count for a key only if the key's policy delegates to the account: KMS Developer Guide, "Key policies in AWS KMS".
   * A key without a policy of its own has the default one, which does.
   */
  private isDelegated(question: Question): boolean {
    if (!question.action.startsWith("kms:")) return true;
    const policy = this.resourcePolicies.get(question.resource);
    return policy === undefined || delegatesToAccount(policy, question, this.accountId);
  }

  private resourceVerdict(principal: Principal, role: RoleRecord, question: Question): Verdict {
    const policy = this.policyCovering(question.resource);
    if (policy === undefined) return "implicit-deny";
    return evaluateResource(policy, question, { arns: [principal.arn, role.arn], accountId: this.accountId, service: undefined });
  }

  /** The bucket's policy also covers its objects, the bus's its events. */
  private policyCovering(resourceArn: string): Policy | undefined {
    const exact = this.resourcePolicies.get(resourceArn);
    if (exact || !resourceArn.startsWith("arn:aws:s3:::")) return exact;
    const slash = resourceArn.indexOf("/");
    return slash < 0 ? undefined : this.resourcePolicies.get(resourceArn.slice(0, slash));
  }

  private context(role: RoleRecord, permission: Permission): ConditionContext {
    const now = Date.now();
    return {
      "aws:PrincipalArn": role.arn,
      "aws:PrincipalAccount": this.accountId,
      "aws:PrincipalType": "AssumedRole",
      "aws:PrincipalIsAWSService": "false",
      "aws:RequestedRegion": this.region,
      "aws:ResourceAccount": this.accountId,
      // Plain HTTP on loopback stands for TLS: statements that demand TLS must neither block nor be rewritten.
      "aws:SecureTransport": "true",
      "aws:SourceIp": "127.0.0.1",
      "aws:CurrentTime": new Date(now).toISOString(),
      "aws:EpochTime": String(Math.floor(now / 1000)),
      ...permission.context,
    };
  }

  private denial(principal: Principal, permission: Permission, cause: string): string {
    return `User: ${principal.arn} is not authorized to perform: ${permission.action} on resource: ${permission.resource} ${cause}`;
  }
}
