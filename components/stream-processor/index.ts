export type { KinesisTrigger, ObjectQueue, StreamCapacity, StreamProcessorArgs, StreamTrigger } from "./args";
export { StreamProcessor } from "./stream-processor";
