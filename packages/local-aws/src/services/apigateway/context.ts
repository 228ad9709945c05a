/** `$context` variables, as gateway response templates and access log formats use them. */

/** The variables that have a value here; any other stops the start, where it would be an empty text in every response. */
const CONTEXT_NAMES = [
  "error.messageString",
  "error.responseType",
  "error.validationErrorString",
  "httpMethod",
  "identity.apiKeyId",
  "identity.sourceIp",
  "identity.userAgent",
  "integrationLatency",
  "requestId",
  "requestTime",
  "resourcePath",
  "responseLatency",
  "responseLength",
  "status",
] as const;

type ContextName = (typeof CONTEXT_NAMES)[number];
export type ContextValues = Readonly<Record<ContextName, string>>;

const VARIABLE = /\$context\.([A-Za-z]+(?:\.[A-Za-z]+)*)/g;

const isContextName = (name: string): name is ContextName => CONTEXT_NAMES.some((known) => known === name);

/** @throws Error naming a variable or a template directive that has no local meaning. */
export function checkTemplate(template: string, owner: string): void {
  const directive = /#(?:set|if|else|foreach|end)\b|\$(?:input|util|stageVariables|method)\b|\$\{/.exec(template);
  if (directive !== null)
    throw new Error(`${owner}: "${directive[0]}" is not supported; only $context variables are substituted here.`);
  for (const [, name = ""] of template.matchAll(VARIABLE)) checkName(name, owner);
}

/** @throws Error naming a variable that has no value here. */
export function checkName(name: string, owner: string): void {
  if (!isContextName(name)) throw new Error(`${owner}: $context.${name} has no value here. Known: ${CONTEXT_NAMES.join(", ")}.`);
}

/** Replaces variables; in JSON, values are escaped for their place inside quotes. A missing value is `-` in a log and empty elsewhere. */
export function substitute(template: string, values: ContextValues, form: "json" | "log"): string {
  return template.replace(VARIABLE, (_, name: string) => {
    const value = contextValue(name, values);
    if (value === "") return form === "log" ? "-" : "";
    return form === "log" || name === "error.messageString" ? value : JSON.stringify(value).slice(1, -1);
  });
}

export const contextValue = (name: string, values: ContextValues): string => (isContextName(name) ? values[name] : "");
