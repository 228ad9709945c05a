export { redshiftBodies } from "./bodies";
export { RedshiftServerless } from "./serverless";
export { RedshiftDataService } from "./service";
