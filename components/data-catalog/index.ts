export type { BatchFiles, DataCatalogArgs } from "./args";
export { DataCatalog } from "./data-catalog";
