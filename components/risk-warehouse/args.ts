/** What a warehouse is made of. */
import type { NamespaceArgs, WorkgroupArgs } from "@pulumi/aws/redshiftserverless";
import type { PlatformContext } from "../shared/context";
import type { FunctionTransform } from "../shared/function";
import type { Naming } from "../shared/naming";
import type { Transform } from "../shared/transform";

export interface RiskWarehouseArgs {
  readonly context: PlatformContext;
  readonly naming: Naming;
  readonly region: string;
  /** Physical names of the buckets whose `archive/`, `quarantine/` and `labels/` are loaded; the first one takes the manifests. */
  readonly sourceBuckets: readonly [string, ...string[]];
  /**
   * Physical name of the bucket through which batch pipelines exchange rows with the warehouse: UNLOAD writes its `temp/`, COPY
   * reads its `inference/scores/`. Default: none.
   */
  readonly exchangeBucket?: string;
  /** Paths of the bundles of `warehouse-loader` and `warehouse-migrator`. */
  readonly bundles: { readonly loader: string; readonly migrator: string };
  /** Changes whenever a migration does; the migrator then runs in the same deployment. */
  readonly migrationsHash: string;
  /** Not `dev`, the name that every attacker tries first (RedshiftServerless.7). */
  readonly databaseName: string;
  /** Not `admin` or `awsuser` (RedshiftServerless.5). */
  readonly adminUsername: string;
  /** Base capacity in RPUs (8 to 512 in steps of 8; $0.375 an RPU-hour while queries run). */
  readonly baseCapacityRpu: number;
  /** Ceiling in RPUs: bounds the cost of one bad query. */
  readonly maxCapacityRpu: number;
  /** How often new archive objects are loaded. Each load costs a minute of RPUs at least. */
  readonly loadSchedule: `rate(${string})`;
  /** Minutes that an object may wait before the freshness alarm; several schedules long. */
  readonly freshnessAlarmMinutes: number;
  /** RPU-hours a day; `action` says what happens then. Deactivated, the warehouse refuses queries until the next day or a higher limit. */
  readonly usageLimit: { readonly rpuHoursPerDay: number; readonly action: "deactivate" | "emit-metric" | "log" };
  /** Address range of the VPC, `/16` to `/22`. */
  readonly vpcCidr: string;
  /**
   * Names of three or more zones (`us-east-1a`), for regions where not every zone has Redshift Serverless. Empty: the region's first
   * three. Another list later means other subnets with the addresses of the present ones, which EC2 refuses.
   */
  readonly availabilityZones: readonly string[];
  /** Who may connect to port 5439 from beyond the VPC, by a route that is made elsewhere. Both empty: nobody. */
  readonly clients: {
    /** Networks, `10.8.0.0/16`. */
    readonly cidrs: readonly string[];
    /** Security groups of this VPC or of a peer in the region. */
    readonly securityGroupIds: readonly string[];
  };
  /** False in accounts that cannot set executions aside (a new account has 10 in all). */
  readonly reserveConcurrency: boolean;
  readonly transform?: {
    readonly namespace?: Transform<NamespaceArgs>;
    readonly workgroup?: Transform<WorkgroupArgs>;
    readonly loader?: FunctionTransform;
  };
}
