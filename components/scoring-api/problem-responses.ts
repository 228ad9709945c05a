/** The gateway's own errors as RFC 9457 problems, so that callers see one error format whoever refuses the request. */

export interface ProblemResponse {
  readonly responseType: string;
  /** Undefined keeps the status that the gateway chose, for the two catch-all types. */
  readonly statusCode: string | undefined;
  readonly title: string;
  /** A gateway expression or a sentence. `$context.error.messageString` has quotes of its own. */
  readonly detail: string;
}

const quoted = (text: string): string => JSON.stringify(text);

/** Every response type of API Gateway. */
export const PROBLEM_RESPONSES: readonly ProblemResponse[] = [
  problem("DEFAULT_4XX", undefined, "The request was refused"),
  problem("DEFAULT_5XX", undefined, "The request failed"),
  problem("ACCESS_DENIED", "403", "Access denied"),
  problem("API_CONFIGURATION_ERROR", "500", "The API is misconfigured"),
  problem("AUTHORIZER_CONFIGURATION_ERROR", "500", "The authoriser is misconfigured"),
  problem("AUTHORIZER_FAILURE", "500", "The authoriser failed"),
  problem("BAD_REQUEST_PARAMETERS", "400", "Invalid request parameters", '"$context.error.validationErrorString"'),
  problem("BAD_REQUEST_BODY", "400", "Invalid request body", '"$context.error.validationErrorString"'),
  problem("EXPIRED_TOKEN", "403", "The token has expired"),
  problem(
    "INTEGRATION_FAILURE",
    "504",
    "Scoring failed",
    quoted("The scoring function failed. Try again; the request is safe to repeat."),
  ),
  problem(
    "INTEGRATION_TIMEOUT",
    "504",
    "Scoring took too long",
    quoted("The scoring function did not answer in time. Try again."),
  ),
  problem("INVALID_API_KEY", "403", "Invalid API key", quoted("Send a valid key in the header x-api-key.")),
  problem("INVALID_SIGNATURE", "403", "Invalid signature"),
  problem(
    "MISSING_AUTHENTICATION_TOKEN",
    "403",
    "No such route",
    quoted("The method or path does not exist, or the credentials are missing."),
  ),
  problem("QUOTA_EXCEEDED", "429", "Quota exceeded"),
  problem("REQUEST_TOO_LARGE", "413", "The request body is too large"),
  problem("RESOURCE_NOT_FOUND", "404", "No such route"),
  problem("THROTTLED", "429", "Too many requests", quoted("Slow down and try again after the seconds in Retry-After.")),
  problem("UNAUTHORIZED", "401", "Not authorised"),
  problem("UNSUPPORTED_MEDIA_TYPE", "415", "Unsupported media type", quoted("Send application/json.")),
  problem("WAF_FILTERED", "403", "The firewall refused the request"),
];

function problem(
  responseType: string,
  statusCode: string | undefined,
  title: string,
  detail = "$context.error.messageString",
): ProblemResponse {
  return { responseType, statusCode, title, detail };
}

/** Body of a problem; the gateway fills in the expressions. */
export function problemTemplate({ statusCode, title, detail, responseType }: ProblemResponse): string {
  const members = [
    `"type":"about:blank"`,
    `"title":${quoted(title)}`,
    ...(statusCode === undefined ? [] : [`"status":${statusCode}`]),
    `"detail":${detail}`,
    `"code":"${responseType.toLowerCase()}"`,
    `"requestId":"$context.requestId"`,
  ];
  return `{${members.join(",")}}`;
}

/** Headers of a problem: mapping expressions, literal values in single quotes. */
export function problemHeaders({ statusCode }: ProblemResponse): Record<string, string> {
  return {
    "gatewayresponse.header.Content-Type": "'application/problem+json'",
    "gatewayresponse.header.X-Request-Id": "context.requestId",
    ...(statusCode === "429" ? { "gatewayresponse.header.Retry-After": "'1'" } : {}),
  };
}
