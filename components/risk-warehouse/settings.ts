/** The complete settings of a warehouse: defaults are filled in and missing parts created. */
import type * as pulumi from "@pulumi/pulumi";
import { platformContext } from "../shared/context";
import type { Loading, RiskWarehouseArgs, UsageBound, WarehouseCapacity, WarehouseDatabase, WarehouseNetworkArgs } from "./args";

const DATABASE: WarehouseDatabase = { name: "risk", adminUsername: "risk_owner" };
const CAPACITY: WarehouseCapacity = { baseRpu: 8, maxRpu: 32 };
const USAGE: UsageBound = { rpuHoursPerDay: 100, action: "deactivate" };
const LOADING: Loading = { schedule: "rate(15 minutes)", freshnessAlarmMinutes: 60 };
const NETWORK: WarehouseNetworkArgs = {
  vpcCidr: "10.60.0.0/16",
  availabilityZones: [],
  clientCidrs: [],
  clientSecurityGroupIds: [],
};

export type WarehouseSettings = ReturnType<typeof warehouseSettings>;

export function warehouseSettings(instance: string, args: RiskWarehouseArgs, parent: pulumi.Resource) {
  return {
    context: platformContext(instance, args.context, parent),
    exchangeBucket: args.exchangeBucket,
    database: { ...DATABASE, ...args.database },
    capacity: { ...CAPACITY, ...args.capacity },
    usageLimit: { ...USAGE, ...args.usageLimit },
    loading: { ...LOADING, ...args.loading },
    network: { ...NETWORK, ...args.network },
    transform: args.transform ?? {},
  };
}
