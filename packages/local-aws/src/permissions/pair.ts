/** How a service reaches a kind of resource, and which policies must allow it. */

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

/** What the role must allow that the service assumes to reach the resource; the control KeyUse checks its use of the key. */
export interface RoleUse {
  readonly actions: readonly string[];
  /** `*` for actions that AWS grants on every resource only. */
  readonly on: "target" | "*";
  /** Condition keys that the service sends when it assumes the role. */
  readonly trustSends: readonly SourceKey[];
}

export interface ServicePair {
  /** Service principal; `REGION` stands for the stack's. */
  readonly service: string;
  readonly target: TargetKind;
  /** On whose behalf, in words. */
  readonly from: string;
  /** What the resource's own policy must allow; absent where the service owns what it writes. */
  readonly resource?: {
    readonly actions: readonly string[];
    /** `no conditions`: an Allow statement with any condition does not apply. */
    readonly sends: readonly SourceKey[] | "no conditions";
  };
  /** Present where the service can reach the resource only as a role. */
  readonly role?: RoleUse;
  /** What the key's policy must allow where a customer-managed key encrypts the target. */
  readonly key: readonly KeyUse[];
  /** Guide and page of AWS's documentation. */
  readonly source: readonly string[];
}
