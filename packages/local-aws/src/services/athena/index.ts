export { athenaBodies } from "./bodies";
export { AthenaService } from "./service";
