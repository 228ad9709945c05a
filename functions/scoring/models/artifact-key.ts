/** Where compiled models lie in the model bucket. */

/** Prefix of a profile's models. */
export const modelPrefix = (profile: string): string => `models/${profile}/`;

/** Key of a model in the bucket. It derives from the content, so an object never changes and uploading a model twice gives one object. */
export const modelKey = (profile: string, sha256: string): string => `${modelPrefix(profile)}${sha256}.rsm`;
