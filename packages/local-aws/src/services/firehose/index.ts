export { firehoseBodies } from "./bodies";
export { type FirehosePorts, FirehoseService } from "./service";
