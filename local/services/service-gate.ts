/** Who may reach a resource and use its key: services by the table of pairs, callers by their own permission of the key. */
import { AwsError, type LocalContext, type Permission } from "../contracts";
import type { Iam } from "../gateway/iam";
import { type Policy, parsePolicy } from "../gateway/policy";
import { refusalOf, type ServiceDelivery } from "../gateway/service-access";
import type { KmsService } from "./kms";

export type ServiceCall = Omit<ServiceDelivery, "policy" | "key"> & {
  /** JSON of the target's policy. */
  readonly policy?: string | undefined;
  /** Id, ARN or alias of the key that encrypts the target. */
  readonly keyId?: string | undefined;
};

/** A caller's use of the key of what it reads or writes. */
export interface CallerKeyUse {
  readonly keyId: string | undefined;
  readonly actions: readonly string[];
  /** `sqs` */
  readonly service: string;
  /** `["aws:sqs:arn", "arn:aws:sqs:…"]`; absent where the service's documentation names none. */
  readonly encryptionContext?: readonly [key: string, value: string];
}

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

  /** What a caller must be allowed of a customer-managed key. The keys of AWS let in every principal of the account. */
  callerPermissions({ keyId, actions, service, encryptionContext }: CallerKeyUse): readonly Permission[] {
    if (keyId === undefined || keyId === "" || /(^|:)alias\/aws\//.test(keyId)) return [];
    const context: Record<string, string> = { "kms:ViaService": `${service}.${this.context.region}.amazonaws.com` };
    if (encryptionContext !== undefined) context[`kms:EncryptionContext:${encryptionContext[0]}`] = encryptionContext[1];
    return actions.map((action) => ({ action, resource: this.kms.arnOf(keyId), context }));
  }

  private parse(text: string, resource: string): Policy {
    const policy = this.parsed.get(text) ?? parsePolicy(text, `policy of ${resource}`);
    this.parsed.set(text, policy);
    return policy;
  }
}
