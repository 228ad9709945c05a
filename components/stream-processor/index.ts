export type { EventTime, StreamCapacity, StreamFunction, StreamProcessorArgs, StreamRetention, StreamTrigger } from "./args";
export { StreamProcessor } from "./stream-processor";
