/**
 * Validators compiled ahead of time by `build/validators.ts` into `bundles/validators.js` (package.json "imports").
 * There is one for each profile, named by its id, and one for each document and event that functions read.
 */
declare module "#validators" {
  type Validate = import("./scoring/core/json-schema").Validate;
  export const lead: Validate;
  export const churn: Validate;
  export const fraud: Validate;
  export const device: Validate;
  export const policy: Validate;
  export const models: Validate;
  export const feedback: Validate;
  export const events: Validate;
  export const dataset: Validate;
  export const statistics: Validate;
  export const manifest: Validate;
  export const golden: Validate;
  export const baseline: Validate;
  export const planEvent: Validate;
  export const qualityEvent: Validate;
  export const evaluationEvent: Validate;
  export const batchEvent: Validate;
  export const promotionEvent: Validate;
}
