/** Lines of the Pulumi CLI that mend a stack's config, as a person would paste them. */

/** `--path` makes the CLI read `risk:fraud.shards` as the member `shards` of `risk:fraud`; without it, it is a key of that name. */
const keyArgument = (key: string): string => (key.includes(".") ? `--path ${quoted(key)}` : key);

const quoted = (text: string): string => (/^[\w.@:/-]+$/.test(text) ? text : `'${text}'`);

/** @param key full key: `risk:suffix`, or `risk:fraud.shards` for a member of an object */
export const setCommand = (stack: string, key: string, value: string): string =>
  `pulumi config set ${keyArgument(key)} ${quoted(value)} --stack ${stack}`;

export const removeCommand = (stack: string, key: string): string => `pulumi config rm ${keyArgument(key)} --stack ${stack}`;
