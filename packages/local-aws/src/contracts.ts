/**
 * The seams of the local runtime: what a service, a resource body and a delivery target look like.
 * Everything else under `packages/local-aws/src/` is an implementation of one of these.
 */
import type { DatabaseSync } from "node:sqlite";
import type { GraphResource, ResourceType } from "@risk/program-graph";

export type { GraphResource };

/** Who signed a request. The owner may do everything; a role only what its policies allow. */
export type Principal =
  | { readonly kind: "owner"; readonly arn: string }
  | { readonly kind: "role"; readonly arn: string; readonly roleName: string };

/** One AWS request as it came over the wire, with its signature verified. */
export interface AwsRequest {
  /** Signing name of the service: `kinesis`, `dynamodb`, `s3`, `events`, `monitoring`, `redshift-data` … */
  readonly service: string;
  readonly region: string;
  /** API action (`PutRecords`); for S3 and Lambda's REST protocols the service derives it from method and path. */
  readonly action: string;
  readonly method: string;
  /** Decoded path and query; host is the local endpoint's. */
  readonly url: URL;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly principal: Principal;
}

export interface AwsResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

/** An IAM permission that a request needs: `{ action: "dynamodb:PutItem", resource: "arn:aws:dynamodb:…" }`. */
export interface Permission {
  readonly action: string;
  readonly resource: string;
  /** Condition keys known for the request, e.g. `s3:prefix`. */
  readonly context?: Readonly<Record<string, string>>;
}

/** One AWS service on the shared endpoint. Unknown actions throw {@link AwsError} that names the action. */
export interface AwsService {
  readonly name: string;
  /** Fills in the action of REST-style protocols (S3, Lambda); query and JSON protocols are recognised by the endpoint. */
  actionOf?(request: Omit<AwsRequest, "action" | "principal">): string;
  /** What the caller must be allowed to do; evaluated before `handle`. */
  permissions(request: AwsRequest): readonly Permission[];
  handle(request: AwsRequest): Promise<AwsResponse> | AwsResponse;
}

/** An error in the shape of the service's own protocol. `code` is the AWS error code (`ResourceNotFoundException`). */
export class AwsError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly status: number = 400,
  ) {
    super(message);
    this.name = code;
  }
}

/** Facts of the machine that every service needs. */
export interface LocalContext {
  readonly region: string;
  readonly accountId: string;
  /** `http://127.0.0.1:PORT`, known before any resource is created. */
  readonly endpointUrl: string;
  /** One SQLite database for all small state; `:memory:` with `--in-memory`. */
  readonly db: DatabaseSync;
  /** Folder for files (objects, archives, mail). A temporary one with `--in-memory`. */
  readonly dataDir: string;
  readonly clock: { now(): number };
  /** Prints a line about the runtime's own work for the person at the terminal. */
  readonly log: (line: string) => void;
}

/** How resources of a type are named: how the provider makes up a name, and which names the service accepts. */
export interface NameRule {
  /** Input that holds the name: `name`, `bucket` … */
  readonly field: string;
  /** Characters of the longest name that the service accepts; a longer one is refused, never cut. */
  readonly maxLength: number;
  /** Characters that the service accepts, as a pattern and in words; any when absent. */
  readonly characters?: { readonly pattern: RegExp; readonly words: string };
  /** Makes `<logical name>-<7 hex>` a name of this type, as the provider does: lower case for buckets, `alias/…` for keys. */
  readonly adapt?: (generated: string, inputs: Readonly<Record<string, unknown>>) => string;
}

/**
 * The local body of one resource type. A field of `inputs` that is neither in `honoured` nor in `cloudOnly` stops
 * the start, by name: silent success is the worst bug that a local runtime can have.
 *
 * A type without `create` has no effect on one machine (its outputs are all there is): there is nothing to update or
 * delete either. A type with `create` has `delete`, and `update` unless every input that it honours is in `replaceOn`.
 */
export interface ResourceBody extends ResourceType {
  /** Inputs whose change makes a new resource: `ForceNew` in terraform-provider-aws. All others are updated in place. */
  readonly replaceOn: readonly string[];
  /** A replacement deletes the old resource first: the two can't exist at once, even under generated names. */
  readonly deleteBeforeReplace?: true;
  /** Present where the provider makes a name when the program gives none. */
  readonly autoName?: NameRule;
  /**
   * Inputs that AWS returns differently from how they were set, with what it returns: defaults filled in, another order. A refresh
   * brings these, and a program that doesn't expect them updates again every time. Absent: all come back as they were set.
   */
  readBack?(inputs: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>;
  /** Gives the resource its body. Must be idempotent: it runs again on every start over kept data. */
  create?(resource: GraphResource): Promise<void> | void;
  /** Applies every changed input that isn't in `replaceOn` to a running body. Absent: what can change in place has no local effect. */
  update?(resource: GraphResource, previous: GraphResource): Promise<void> | void;
  /**
   * Removes the body and nothing else: dependents are gone by then. Succeeds when it is gone already, or was half removed before
   * a crash. Throws the error that AWS would return when it refuses (`BucketNotEmpty`, `DeleteConflict` …), with the fix.
   */
  delete?(resource: GraphResource): Promise<void> | void;
}

/** Something with an ARN that accepts a payload: queue, topic, function, log group, bus, object store. */
export type Deliver = (targetArn: string, payload: string, options?: DeliverOptions) => Promise<void>;

export interface DeliverOptions {
  /** Service principal that delivers, e.g. `events.amazonaws.com`; checked against the target's resource policy. */
  readonly servicePrincipal?: string;
  /** ARN of the rule, alarm or bucket that delivers (`aws:SourceArn`). */
  readonly sourceArn?: string;
  /** For topics. */
  readonly subject?: string;
  /** For state machines: the role with which the deliverer starts an execution. */
  readonly roleArn?: string;
  /** The same at every attempt of one delivery. */
  readonly deliveryId?: string;
}

/** A part of the runtime with a lifetime; started in order, ended in reverse. */
export interface Part {
  readonly title: string;
  start?(): Promise<void> | void;
  end?(): Promise<void> | void;
}
