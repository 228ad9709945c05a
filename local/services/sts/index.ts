export { StsService } from "./service";
