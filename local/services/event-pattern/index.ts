export { InvalidEventPattern } from "./matchers";
export { compileEventPattern, type EventMatcher } from "./pattern";
