/** What a warehouse is made of. */
import type { NamespaceArgs, WorkgroupArgs } from "@pulumi/aws/redshiftserverless";
import type * as pulumi from "@pulumi/pulumi";
import type { PlatformContext } from "../shared/context";
import type { FunctionTransform } from "../shared/function";
import type { Transform } from "../shared/transform";

/** The database; another name is another, empty one. */
export interface WarehouseDatabase {
  /** Not `dev`, the name that every attacker tries first (RedshiftServerless.7). Default `risk`. */
  readonly name: string;
  /** Owner of the database; not `admin` or `awsuser` (RedshiftServerless.5). Default `risk_owner`. */
  readonly adminUsername: string;
}

/** Compute in RPUs, of which each costs $0.375 an hour while queries run. */
export interface WarehouseCapacity {
  /** Base capacity, 8 to 512 in steps of 8. Default 8. */
  readonly baseRpu: number;
  /** Ceiling, up to 5632 in steps of 8: bounds the cost of one bad query. Default 32. */
  readonly maxRpu: number;
}

/** What the warehouse may use a day. */
export interface UsageBound {
  /** RPU-hours; an alarm at 80 % of them. Default 100. */
  readonly rpuHoursPerDay: number;
  /**
   * What the bound does: `deactivate` refuses queries until the next day or a higher limit, and loads wait; the others only tell.
   * Default `deactivate`.
   */
  readonly action: "deactivate" | "emit-metric" | "log";
}

/** How new archive objects are loaded. */
export interface Loading {
  /** How often. Each load that finds something costs a minute of RPUs at least. Default `rate(15 minutes)`. */
  readonly schedule: `rate(${string})`;
  /** Minutes that an object may wait before the freshness alarm; several schedules long. Default 60. */
  readonly freshnessAlarmMinutes: number;
}

/** Where the warehouse listens, and to whom. */
export interface WarehouseNetworkArgs {
  /** Address range of the VPC, `/16` to `/22`. Default `10.60.0.0/16`. */
  readonly vpcCidr: string;
  /**
   * Names of three or more zones (`us-east-1a`), for regions where not every zone has Redshift Serverless. Another list later means
   * other subnets with the addresses of the present ones, which EC2 refuses. Default: the region's first three.
   */
  readonly availabilityZones: readonly string[];
  /** Networks that may connect to port 5439 by a route that is made elsewhere, `10.8.0.0/16`. Default: none. */
  readonly clientCidrs: readonly string[];
  /** Security groups of this VPC, or of a peer in the region, that may connect. Default: none. */
  readonly clientSecurityGroupIds: readonly string[];
}

/**
 * Arguments of a {@link RiskWarehouse}.
 * @example
 * new RiskWarehouse("risk", {});
 */
export interface RiskWarehouseArgs {
  /**
   * What is shared with other components: names, key, alarm topic, logs, protection. Default: each part that isn't
   * given is the component's own.
   * @example stream.context
   */
  readonly context?: Partial<PlatformContext>;
  /**
   * Physical names of the buckets whose `archive/`, `quarantine/` and `labels/` are loaded; each announces its objects to
   * `objectQueues()`, and the first one takes the manifests. Default: a data bucket of its own.
   * @example ["company-fraud-data-prod-us-east-1-a1"]
   */
  readonly sourceBuckets?: readonly [string, ...string[]];
  /**
   * Physical name of the bucket through which batch pipelines exchange rows with the warehouse: UNLOAD writes its `temp/`, COPY
   * reads its `inference/scores/`. Default: none, and no batch pipeline can use the warehouse.
   * @example "company-risk-pipelines-prod-us-east-1-a1"
   */
  readonly exchangeBucket?: pulumi.Input<string>;
  /**
   * Names in the database; others put a new, empty warehouse in the place of the old one. Default: `risk`, owned by `risk_owner`.
   * @example { name: "scores" }
   */
  readonly database?: Partial<WarehouseDatabase>;
  /**
   * Compute. Default: 8 RPUs, 32 at most.
   * @example { baseRpu: 32, maxRpu: 128 }
   */
  readonly capacity?: Partial<WarehouseCapacity>;
  /**
   * What the warehouse may use a day. Default: 100 RPU-hours ($37.50), then it is deactivated until the next day.
   * @example { rpuHoursPerDay: 400, action: "log" }
   */
  readonly usageLimit?: Partial<UsageBound>;
  /**
   * How new archive objects are loaded. Default: every 15 minutes, with an alarm when one waits an hour.
   * @example { schedule: "rate(5 minutes)", freshnessAlarmMinutes: 20 }
   */
  readonly loading?: Partial<Loading>;
  /**
   * Where the warehouse listens, and to whom. Default: a VPC of its own, `10.60.0.0/16`, that nobody reaches from outside.
   * @example { clientCidrs: ["10.8.0.0/16"] }
   */
  readonly network?: Partial<WarehouseNetworkArgs>;
  /**
   * Last word on inputs of single resources; what keeps data safe can't be changed by it. Default: none.
   * @example { loader: () => ({ memorySize: 1024 }) }
   */
  readonly transform?: {
    readonly namespace?: Transform<NamespaceArgs>;
    readonly workgroup?: Transform<WorkgroupArgs>;
    readonly loader?: FunctionTransform;
  };
}
