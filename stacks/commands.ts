/** Lines of the Pulumi CLI that mend a stack's config, as a person would paste them into a shell. */

/** A key and the way to a member of it: `["risk:fraud", "shards"]`. */
export type ConfigPath = readonly [key: string, ...members: string[]];

/** `fraud.shards` of namespace `risk` → `["risk:fraud", "shards"]`; for names of settings, which have no other dots. */
export function pathOf(namespace: string, setting: string): ConfigPath {
  const [key = "", ...members] = setting.split(".");
  return [`${namespace}:${key}`, ...members];
}

export function setCommand(stack: string, path: ConfigPath, value: string): string {
  const argument = keyArgument(path);
  if (argument === undefined) return byHand(stack);
  // The CLI would take -1 for an option.
  const rest = value.startsWith("-")
    ? `--stack ${quoted(stack)} -- ${quoted(value)}`
    : `${quoted(value)} --stack ${quoted(stack)}`;
  return `pulumi config set ${argument} ${rest}`;
}

export function removeCommand(stack: string, path: ConfigPath): string {
  const argument = keyArgument(path);
  return argument === undefined ? byHand(stack) : `pulumi config rm ${argument} --stack ${quoted(stack)}`;
}

/** @returns one word that a POSIX shell reads as `text` */
export const quoted = (text: string): string => (/^[\w.@:/-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

const byHand = (stack: string) => `edit Pulumi.${stack}.yaml, since no path of the CLI leads to this name`;

/** `--path` makes the CLI read `risk:fraud.shards` as the member `shards` of `risk:fraud`; without it, it is a key of that name. */
function keyArgument([key, ...members]: ConfigPath): string | undefined {
  if (members.length === 0) return quoted(key);
  const steps = members.map(stepTo);
  return steps.includes(undefined) ? undefined : `--path ${quoted(key + steps.join(""))}`;
}

/**
 * A member as property paths write it. Between quotes, `\"` is a quote and any other backslash itself, so no quoted name ends in one;
 * a name without quotes ends at the next `.` or `[`. https://www.pulumi.com/docs/iac/concepts/config/#structured-configuration
 */
function stepTo(member: string): string | undefined {
  if (/^[A-Za-z_]\w*$/.test(member)) return `.${member}`;
  if (!member.endsWith("\\")) return `["${member.replaceAll('"', '\\"')}"]`;
  return /[.[]/.test(member) ? undefined : `.${member}`;
}
