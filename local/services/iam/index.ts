export { iamBodies } from "./bodies";
