/** XGBoost's tree models: read, compiled to an image, evaluated bit for bit. It imports nothing from outside this folder. */
export { type CompileOptions, compile } from "./compile";
export type { Ensemble, Feature, Tree } from "./ensemble";
export { ModelFileError, refuse } from "./errors";
export { loadTrees, type TreeEvaluator } from "./evaluator";
export { oracleMargins } from "./oracle";
export { type ReadOptions, readXgboost } from "./xgboost-file";
