export type { Canary, TrainingJob, TrainingPipelineArgs } from "./args";
export { TrainingPipeline } from "./training-pipeline";
