export { logsBodies } from "./bodies";
export { groupOfArn, type LogEvent } from "./operations";
export { LogsService } from "./service";
