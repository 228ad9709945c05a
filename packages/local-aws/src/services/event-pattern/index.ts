export { InvalidEventPattern } from "./errors";
export { compileEventPattern, type EventMatcher } from "./pattern";
