/** Translates config from its form in the stack files, `risk:fraud: {shards: 1}`, to the names of settings, `fraud.shards`. */
import { isObject } from "../functions/scoring/core/json";
import { didYouMean } from "../functions/scoring/core/suggest";
import { type ConfigPath, removeCommand, setCommand } from "./commands";

/** Text of the settings by name. */
export interface FlatConfig {
  /** `null` is a member without a value in the file; for a key of its own that is empty text, as the CLI passes it. */
  readonly values: Readonly<Record<string, string | null>>;
  /** One line for each key that isn't a setting or doesn't have the form of one. */
  readonly problems: readonly string[];
}

/** First part of a setting's name, `fraud` of `fraud.shards`; undefined for a setting that is a key of its own. */
const groupOf = (setting: string): string | undefined => (setting.includes(".") ? setting.split(".")[0] : undefined);

/**
 * @param namespace the project's name
 * @param values full keys with their text from the Pulumi runtime: JSON where a key is an object
 * @param settings all names, such as `suffix` and `fraud.shards`
 */
export function flatten(
  stack: string,
  namespace: string,
  values: Readonly<Record<string, string>>,
  settings: readonly string[],
): FlatConfig {
  const groups = new Set(settings.map(groupOf).filter((group) => group !== undefined));
  const flat: Record<string, string | null> = {};
  const problems: string[] = [];
  const unknown = (name: string, known: readonly string[], path: ConfigPath) => {
    problems.push(
      `${namespace}:${name}: expected a known key, got one that nothing reads.${didYouMean(name, known)} Fix: ${removeCommand(stack, path)}`,
    );
  };
  for (const [key, text] of Object.entries(values)) {
    if (!key.startsWith(`${namespace}:`)) continue;
    const name = key.slice(namespace.length + 1);
    if (groups.has(name)) {
      const members = parseObject(text);
      if (members === undefined) {
        const example = settings.find((setting) => groupOf(setting) === name) ?? name;
        problems.push(
          `${key}: expected an object such as {${example.slice(name.length + 1)}: …}, got ${text || "nothing"}. Fix: ${removeCommand(stack, [key])}`,
        );
        continue;
      }
      for (const [member, value] of Object.entries(members)) {
        const setting = `${name}.${member}`;
        if (settings.includes(setting))
          flat[setting] = typeof value === "string" || value === null ? value : JSON.stringify(value);
        else unknown(setting, settings, [key, member]);
      }
    } else if (name.includes(".")) problems.push(dottedKey(stack, key, text, settings));
    else if (settings.includes(name)) flat[name] = text;
    else unknown(name, [...settings, ...groups], [key]);
  }
  return { values: flat, problems };
}

/** After `pulumi config set risk:fraud.shards 2` without `--path`, for which the CLI makes a key with a dot in its name. */
function dottedKey(stack: string, key: string, text: string, settings: readonly string[]): string {
  const name = key.slice(key.indexOf(":") + 1);
  const [object = ""] = key.split(".");
  const remove = removeCommand(stack, [key]);
  if (!settings.includes(name))
    return `${key}: expected a known key, got one that nothing reads.${didYouMean(name, settings)} Fix: ${remove}`;
  const member = key.slice(object.length + 1);
  return (
    `${key}: expected ${member} as a member of ${object}, got a key with a dot in its name. ` +
    `Fix: ${remove} && ${setCommand(stack, [object, member], text)}`
  );
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
