export { glueBodies } from "./bodies";
export { GlueService } from "./service";
