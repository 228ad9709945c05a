/** Arguments of a warehouse. */
import type { NamespaceArgs, WorkgroupArgs } from "@pulumi/aws/redshiftserverless";
import type * as pulumi from "@pulumi/pulumi";
import type { PlatformContext } from "../shared/context";
import type { FunctionTransform } from "../shared/function";
import type { Transform } from "../shared/transform";

/** The database. A changed name creates a new, empty database. */
export interface WarehouseDatabase {
  /** Not `dev`, the name that every attacker tries first (RedshiftServerless.7). Default `risk`. */
  readonly name: string;
  /** Owner of the database; not `admin` or `awsuser` (RedshiftServerless.5). Default `risk_owner`. */
  readonly adminUsername: string;
}

/** Compute in RPUs; each costs $0.375 an hour while queries run. */
export interface WarehouseCapacity {
  /** Base capacity, 8 to 512 in steps of 8. Default 8. */
  readonly baseRpu: number;
  /** Ceiling, up to 5632 in steps of 8: limits the cost of one bad query. Default 32. */
  readonly maxRpu: number;
}

/** How much the warehouse may use per day. */
export interface UsageBound {
  /** RPU-hours; an alarm is raised at 80 % of them. Default 100. */
  readonly rpuHoursPerDay: number;
  /**
   * What happens at the limit: `deactivate` rejects queries until the next day or a higher limit, and loads wait; the other actions only
   * report it. Default `deactivate`.
   */
  readonly action: "deactivate" | "emit-metric" | "log";
}

/** How new archive objects are loaded. */
export interface Loading {
  /** How often. Each load that finds something costs at least a minute of RPUs. Default `rate(15 minutes)`. */
  readonly schedule: `rate(${string})`;
  /** Minutes that an object may wait before the freshness alarm; make it several times the schedule. Default 60. */
  readonly freshnessAlarmMinutes: number;
}

/** Where the warehouse listens, and to whom. */
export interface WarehouseNetworkArgs {
  /** Address range of the VPC, `/16` to `/22`. Default `10.60.0.0/16`. */
  readonly vpcCidr: string;
  /**
   * Names of three or more zones (`us-east-1a`), for regions where not every zone has Redshift Serverless. Changing the list later would
   * create other subnets with the addresses of the existing ones, which EC2 rejects. Default: the region's first three.
   */
  readonly availabilityZones: readonly string[];
  /** Networks that may connect to port 5439 over a route that is made elsewhere, `10.8.0.0/16`. Default: none. */
  readonly clientCidrs: readonly string[];
  /** Security groups of this VPC, or of a peered VPC in the region, that may connect. Default: none. */
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
   * Physical names of the buckets whose `archive/`, `quarantine/`, `labels/` and `generations/` are loaded. Each must announce its objects to
   * `objectQueues()`, and the first one receives the manifests. Default: a data bucket of its own.
   * @example ["company-fraud-data-prod-us-east-1-a1"]
   */
  readonly sourceBuckets?: readonly [string, ...string[]];
  /**
   * Physical name of the bucket through which batch pipelines exchange rows with the warehouse: UNLOAD writes its `temp/`, COPY
   * reads its `inference/scores/`. Default: none, so batch pipelines can't use the warehouse.
   * @example "company-risk-pipelines-prod-us-east-1-a1"
   */
  readonly exchangeBucket?: pulumi.Input<string>;
  /**
   * Names in the database; changing them replaces the warehouse by a new, empty one. Default: `risk`, owned by `risk_owner`.
   * @example { name: "scores" }
   */
  readonly database?: Partial<WarehouseDatabase>;
  /**
   * Compute. Default: 8 RPUs, at most 32.
   * @example { baseRpu: 32, maxRpu: 128 }
   */
  readonly capacity?: Partial<WarehouseCapacity>;
  /**
   * How much the warehouse may use per day. Default: 100 RPU-hours ($37.50); then it is deactivated until the next day.
   * @example { rpuHoursPerDay: 400, action: "log" }
   */
  readonly usageLimit?: Partial<UsageBound>;
  /**
   * How new archive objects are loaded. Default: every 15 minutes, with an alarm when one has waited for an hour.
   * @example { schedule: "rate(5 minutes)", freshnessAlarmMinutes: 20 }
   */
  readonly loading?: Partial<Loading>;
  /**
   * Where the warehouse listens, and to whom. Default: a VPC of its own, `10.60.0.0/16`, that can't be reached from outside.
   * @example { clientCidrs: ["10.8.0.0/16"] }
   */
  readonly network?: Partial<WarehouseNetworkArgs>;
  /**
   * Has the last word on the inputs of single resources, except those that keep data safe. Default: none.
   * @example { loader: () => ({ memorySize: 1024 }) }
   */
  readonly transform?: {
    readonly namespace?: Transform<NamespaceArgs>;
    readonly workgroup?: Transform<WorkgroupArgs>;
    readonly loader?: FunctionTransform;
  };
}
