/** `$context` variables, as gateway response templates and access log formats use them. */
export type ContextValues = Readonly<Record<string, string>>;

/** Every variable with a value here; another one stops the start, rather than being an empty text in every response. */
export const contextNames: readonly string[] = [
  "accountId",
  "apiId",
  "awsEndpointRequestId",
  "domainName",
  "domainPrefix",
  "error.message",
  "error.messageString",
  "error.responseType",
  "error.validationErrorString",
  "extendedRequestId",
  "httpMethod",
  "identity.accountId",
  "identity.apiKey",
  "identity.apiKeyId",
  "identity.caller",
  "identity.sourceIp",
  "identity.user",
  "identity.userAgent",
  "identity.userArn",
  "integration.error",
  "integration.integrationStatus",
  "integration.latency",
  "integration.requestId",
  "integration.status",
  "integrationErrorMessage",
  "integrationLatency",
  "integrationStatus",
  "path",
  "protocol",
  "requestId",
  "requestTime",
  "requestTimeEpoch",
  "resourceId",
  "resourcePath",
  "responseLatency",
  "responseLength",
  "stage",
  "status",
  "xrayTraceId",
  "wafResponseCode",
  "webaclArn",
  "authorizer.error",
  "authorize.error",
  "authenticate.error",
  "waf.error",
];

const variable = /\$context\.([A-Za-z]+(?:\.[A-Za-z]+)*)|\$\{context\.([A-Za-z.]+)\}/g;

/** @throws Error naming a variable or a template directive that has no local meaning. */
export function checkTemplate(template: string, owner: string): void {
  const directive = /#(?:set|if|else|foreach|end)\b|\$(?:input|util|stageVariables|method)\b/.exec(template);
  if (directive !== null)
    throw new Error(`${owner}: "${directive[0]}" is not supported; only $context variables are substituted here.`);
  for (const match of template.matchAll(variable)) {
    const name = match[1] ?? match[2] ?? "";
    if (!contextNames.includes(name))
      throw new Error(`${owner}: $context.${name} has no value here. Known: ${contextNames.join(", ")}.`);
  }
}

/** Replaces variables; in JSON, values are escaped for their place inside quotes. A missing value is `-` in a log and empty elsewhere. */
export function substitute(template: string, values: ContextValues, form: "json" | "log"): string {
  return template.replace(variable, (_, plain: string | undefined, braced: string | undefined) => {
    const name = plain ?? braced ?? "";
    const value = values[name];
    if (value === undefined || value === "") return form === "log" ? "-" : "";
    return form === "log" || name === "error.messageString" ? value : JSON.stringify(value).slice(1, -1);
  });
}
