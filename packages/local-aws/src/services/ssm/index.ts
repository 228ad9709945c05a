export { ssmBodies } from "./bodies";
export { SsmService } from "./service";
