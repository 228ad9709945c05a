export type {
  ApiAuth,
  HighScores,
  RequestLimits,
  ScoreArchive,
  ScoringApiArgs,
  ScoringFunctionSize,
  ScoringRoute,
} from "./args";
export { ScoringApi } from "./scoring-api";
