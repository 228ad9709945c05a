/** A Pulumi program evaluated in this process, without its engine, to the graph of its resources. */
export { archiveFrom, isResolvedArchive, isResolvedAsset, type ResolvedArchive, resolveAssets } from "./assets";
export { type EvaluateOptions, evaluate } from "./evaluate";
export { diff, fieldChanges, type Graph } from "./graph";
export { inDependencyOrder } from "./order";
export type { ProviderCall } from "./recorder";
export type { GraphResource, ResourceType } from "./resource";
export { ResourceTypes } from "./resource-types";
export { revealSecureValues } from "./secure-values";
export { problemsOf, readStackConfig, type StackConfig } from "./stack-config";
export { isRecord, messageOf, recordOf } from "./values";
