export type { ApiAuth, ScoringApiArgs, ScoringRoute } from "./args";
export { ScoringApi } from "./scoring-api";
