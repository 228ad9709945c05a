export { snsBodies } from "./bodies";
export { SnsService } from "./service";
