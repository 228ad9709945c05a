/**
 * Validators compiled ahead of time by `tools/validators.ts` into `bundles/validators.js` (package.json "imports").
 * One for each profile, by its id, and one for policy documents.
 */
declare module "#validators" {
  type Validate = import("./core/json-schema").Validate;
  export const lead: Validate;
  export const churn: Validate;
  export const fraud: Validate;
  export const policy: Validate;
}
