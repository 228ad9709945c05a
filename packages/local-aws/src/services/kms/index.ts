export { kmsBodies } from "./bodies";
export { KmsService } from "./service";
