export { kinesisBodies } from "./bodies";
export { KinesisService } from "./service";
