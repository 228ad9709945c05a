export type { TrainingJob, TrainingPipelineArgs } from "./args";
export { TrainingPipeline } from "./training-pipeline";
