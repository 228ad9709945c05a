/** A Pulumi program evaluated in this process, without its engine, to the graph of its resources. */
export { isResolvedArchive, isResolvedAsset, type ResolvedArchive, type ResolvedAsset } from "./assets";
export { type EvaluateOptions, EvaluationError, evaluate, type ProviderCall } from "./evaluate";
export { diff, type FieldChange, type Graph, type GraphDiff } from "./graph";
export { inDependencyOrder } from "./order";
export type { GraphResource, ResourceType } from "./resource";
export { readStackConfig, type StackConfig, StackConfigError } from "./stack-config";
