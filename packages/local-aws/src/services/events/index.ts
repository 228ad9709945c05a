export { eventsBodies } from "./bodies";
export type { EventEnvelope } from "./put-events";
export { EventsService } from "./service";
