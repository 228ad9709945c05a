/** Where compiled models lie in the model bucket. */

/** Below it lie the models of a profile. */
export const modelPrefix = (profile: string): string => `models/${profile}/`;

/** Key of a model in the bucket. The content decides it, so an object never changes and two uploads of one model are one object. */
export const modelKey = (profile: string, sha256: string): string => `${modelPrefix(profile)}${sha256}.rsm`;
