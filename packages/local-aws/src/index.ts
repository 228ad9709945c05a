/** The AWS of one machine: starts the stack of a Pulumi program, or tells which resources it has. */
export { deploy } from "./engine/deploy";
export { physicalName } from "./engine/names";
export { type Platform, type PlatformOptions, startPlatform } from "./engine/platform";
export { createServices } from "./engine/services";
export { stackGraph } from "./engine/stack-graph";
export type { Usage } from "./services/dynamodb/meter";
export { DynamoDbService } from "./services/dynamodb/service";
export { sageMakerBodies } from "./services/sagemaker/bodies";
export { type EndpointModel, SageMakerRuntimeService } from "./services/sagemaker/runtime";
