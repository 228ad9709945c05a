/**
 * Validators compiled ahead of time by `tools/validators.ts` into `bundles/validators.js` (package.json "imports").
 * One for each profile, by its id, one for policy documents, one for models documents and one for feedback.
 */
declare module "#validators" {
  type Validate = import("./core/json-schema").Validate;
  export const lead: Validate;
  export const churn: Validate;
  export const fraud: Validate;
  export const device: Validate;
  export const policy: Validate;
  export const models: Validate;
  export const feedback: Validate;
}
