export type {
  EventBridgeTrigger,
  EventTime,
  FirehoseTrigger,
  KinesisTrigger,
  QueueDelivery,
  StreamCapacity,
  StreamFunction,
  StreamProcessorArgs,
  StreamRetention,
  StreamTriggers,
} from "./args";
export { StreamProcessor } from "./stream-processor";
