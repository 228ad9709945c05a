export type { RiskWarehouseArgs } from "./args";
export { warehouseName } from "./database";
export { RiskWarehouse } from "./risk-warehouse";
