/** AWS on one machine: starts the stack of a Pulumi program, or lists the resources that it has. */
export { type Platform, type PlatformOptions, startPlatform } from "./engine/platform";
export { stackGraph } from "./engine/stack-graph";
export { readFaultSchedule } from "./faults/read-schedule";
export type { FaultRule, FaultSchedule, InjectedFault } from "./faults/schedule";
export type { Usage } from "./services/dynamodb/meter";
export type { EndpointModel, SageMakerRuntimeService } from "./services/sagemaker/runtime";
