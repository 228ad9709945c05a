export { cloudwatchBodies } from "./bodies";
export { CloudWatchService } from "./service";
