export { glueBodies } from "./bodies";
export { type CatalogTable, GlueCatalog } from "./catalog";
export { catalogBodies } from "./catalog-bodies";
export { catalogArns } from "./catalog-operations";
export { GlueService } from "./service";
