export { sageMakerBodies } from "./bodies";
export { sageMakerEndpoint } from "./endpoint";
export { SageMakerRuntimeService } from "./runtime";
export { SageMakerService } from "./service";
