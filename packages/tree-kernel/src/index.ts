/** XGBoost's tree models: read, compiled to an image, evaluated bit for bit. */
export { compile } from "./compile";
export type { Ensemble, Tree } from "./ensemble";
export { ModelFileError, refuse } from "./errors";
export { loadTrees, type TreeEvaluator } from "./evaluator";
export { oracleMargins } from "./oracle";
export { type ReadOptions, readXgboost } from "./xgboost-file";
