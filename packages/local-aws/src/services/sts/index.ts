export { stsService } from "./service";
