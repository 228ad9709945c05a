export { eventsBodies } from "./bodies";
export type { EventEnvelope } from "./port";
export { EventsService } from "./service";
