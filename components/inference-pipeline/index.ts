export type { InferencePipelineArgs, TransformJob } from "./args";
export { InferencePipeline } from "./inference-pipeline";
