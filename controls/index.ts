export { checkGraph, controls, type Finding, type GraphResult } from "./check-graph";
export { notApplicable } from "./not-applicable";
