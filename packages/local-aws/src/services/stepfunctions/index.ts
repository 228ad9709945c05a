export { stepFunctionsBodies } from "./bodies";
export { StepFunctionsService } from "./service";
export type { Perform } from "./tasks/calls";
