export type {
  Loading,
  RiskWarehouseArgs,
  UsageBound,
  WarehouseCapacity,
  WarehouseDatabase,
  WarehouseNetworkArgs,
} from "./args";
export { warehouseName } from "./database";
export { RiskWarehouse } from "./risk-warehouse";
