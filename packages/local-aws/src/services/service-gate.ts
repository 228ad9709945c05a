/** Who may reach a resource and use its key: services by the table of pairs, callers by their own permission of the key. */
import { AwsError, type LocalContext, type Permission } from "../contracts";
import type { Iam } from "../permissions/iam";
import { KEY_NEEDS, type KeyNeed } from "../permissions/key-use";
import { type Policy, parsePolicy } from "../permissions/policy";
import { refusalOf, type ServiceDelivery } from "../permissions/service-access";
import type { KmsService } from "./kms";

export type ServiceCall = Omit<ServiceDelivery, "policy" | "key"> & {
  /** JSON of the target's policy. */
  readonly policy?: string | undefined;
  /** Id, ARN or alias of the key that encrypts the target. */
  readonly keyId?: string | undefined;
};

export class ServiceGate {
  private readonly parsed = new Map<string, Policy>();

  constructor(
    private readonly context: LocalContext,
    private readonly iam: Iam,
    private readonly kms: KmsService,
  ) {}

  /** @throws AwsError `AccessDenied` when the target's policy refuses, `KMSAccessDenied` when its key's does. */
  require({ policy, keyId, ...call }: ServiceCall): void {
    const key = keyId === undefined ? undefined : this.kms.arnOf(keyId);
    const refusal = refusalOf(
      {
        ...call,
        policy: policy === undefined || policy === "" ? undefined : this.parse(policy, call.targetArn),
        ...(key === undefined ? {} : { key: { arn: key, policy: this.iam.resourcePolicy(key) } }),
      },
      this.context,
    );
    if (refusal === undefined) return;
    throw new AwsError(refusal.by === "key policy" ? "KMSAccessDenied" : "AccessDenied", refusal.message, 403);
  }

  /** What the caller of an IAM action must be allowed of a customer-managed key. Keys of AWS let in the whole account. */
  callerPermissions(action: string, resource: string, keyId: string | undefined): readonly Permission[] {
    const need = KEY_NEEDS[action];
    return need === undefined ? [] : this.permissionsOf(need, action.slice(0, action.indexOf(":")), resource, keyId);
  }

  /** The same for a need of its own. `via` is the service (`sqs`) that asks KMS for the caller; undefined for a caller that asks itself. */
  permissionsOf(need: KeyNeed, via: string | undefined, resource: string, keyId: string | undefined): readonly Permission[] {
    if (keyId === undefined || keyId === "" || /(^|:)alias\/aws\//.test(keyId)) return [];
    const context: Record<string, string> =
      via === undefined ? {} : { "kms:ViaService": `${via}.${this.context.region}.amazonaws.com` };
    const [key, value] = need.encryptionContext?.(resource) ?? [];
    if (key !== undefined && value !== undefined) context[`kms:EncryptionContext:${key}`] = value;
    return need.uses.map((use) => ({ action: use, resource: this.kms.arnOf(keyId), context }));
  }

  private parse(text: string, resource: string): Policy {
    const policy = this.parsed.get(text) ?? parsePolicy(text, `policy of ${resource}`, "resource");
    this.parsed.set(text, policy);
    return policy;
  }
}
