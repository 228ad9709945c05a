export type { Backfill, InferencePipelineArgs, TransformJob } from "./args";
export { InferencePipeline } from "./inference-pipeline";
