/** One way of a service to a kind of resource, and what it asks of the policies on it. */

export type TargetKind =
  | "topic"
  | "queue"
  | "queue as event source"
  | "log group"
  | "function"
  | "event bus"
  | "state machine"
  | "stream"
  | "stream as event source"
  | "bucket";

export type SourceKey = "aws:SourceArn" | "aws:SourceAccount";

/** A call of KMS on behalf of the service. */
export interface KeyUse {
  readonly actions: readonly string[];
  readonly sends: readonly SourceKey[];
  /**
   * Pair of the encryption context that the call carries: its key and its value, the target's ARN or `account logs`, the logs of
   * the account (`arn:aws:logs:REGION:ACCOUNT:*`). Absent where KMS takes none.
   */
  readonly encryptionContext?: { readonly key: string; readonly value: "target" | "account logs" };
}

/** What the role must allow that the service assumes to reach the resource; its use of the key is the control KeyUse's. */
export interface RoleUse {
  readonly actions: readonly string[];
  /** `*` for actions that AWS grants on every resource only. */
  readonly on: "target" | "*";
  /** What the service tells the role's trust policy. */
  readonly trustSends: readonly SourceKey[];
}

export interface ServicePair {
  /** Service principal; `REGION` stands for the stack's. */
  readonly service: string;
  readonly target: TargetKind;
  /** On whose behalf, for people. */
  readonly from: string;
  /** What the resource's own policy is asked; absent where the service owns what it writes. */
  readonly resource?: {
    readonly actions: readonly string[];
    /** `no conditions`: an Allow statement with any condition does not apply. */
    readonly sends: readonly SourceKey[] | "no conditions";
  };
  /** Present where the service reaches the resource as a role, and without one not at all. */
  readonly role?: RoleUse;
  /** What the key's policy is asked where a customer-managed key encrypts the target. */
  readonly key: readonly KeyUse[];
  /** Guide and page of AWS's documentation. */
  readonly source: readonly string[];
}
