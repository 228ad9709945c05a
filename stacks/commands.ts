/** Pulumi CLI commands that correct a stack's config, ready to be pasted into a shell. */

/** A key and the path to a member of it: `["risk:fraud", "shards"]`. */
export type ConfigPath = readonly [key: string, ...members: string[]];

/** `fraud.shards` of namespace `risk` → `["risk:fraud", "shards"]`; for names of settings, which have no other dots. */
export function pathOf(namespace: string, setting: string): ConfigPath {
  const [key = "", ...members] = setting.split(".");
  return [`${namespace}:${key}`, ...members];
}

export function setCommand(stack: string, path: ConfigPath, value: string): string {
  const argument = keyArgument(path);
  if (argument === undefined) return byHand(stack);
  // Without the separator the CLI would read -1 as an option.
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

/** With `--path` the CLI reads `risk:fraud.shards` as the member `shards` of `risk:fraud`; without it, as a key with that name. */
function keyArgument([key, ...members]: ConfigPath): string | undefined {
  if (members.length === 0) return quoted(key);
  const steps = members.map(stepTo);
  return steps.includes(undefined) ? undefined : `--path ${quoted(key + steps.join(""))}`;
}

/**
 * A member in the syntax of property paths. Inside quotes, `\"` is a quote and any other backslash stands for itself, so no quoted name can
 * end in one; a name without quotes ends at the next `.` or `[`. https://www.pulumi.com/docs/iac/concepts/config/#structured-configuration
 */
function stepTo(member: string): string | undefined {
  if (/^[A-Za-z_]\w*$/.test(member)) return `.${member}`;
  if (!member.endsWith("\\")) return `["${member.replaceAll('"', '\\"')}"]`;
  return /[.[]/.test(member) ? undefined : `.${member}`;
}
