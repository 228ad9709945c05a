/** Gateway responses: the errors that the gateway itself answers, and how an API customises them. */
import type { ApiDefinition } from "./api.js";
import { type ContextValues, substitute } from "./context.js";

interface DefaultResponse {
  readonly status: number;
  readonly message: string;
  /** Header `x-amzn-ErrorType`. */
  readonly errorType: string;
}

/** Source: "Gateway response types", Amazon API Gateway developer guide. */
export const gatewayErrors = {
  ACCESS_DENIED: { status: 403, message: "User is not authorized to access this resource", errorType: "AccessDeniedException" },
  API_CONFIGURATION_ERROR: { status: 500, message: "Internal server error", errorType: "InternalServerErrorException" },
  BAD_REQUEST_BODY: { status: 400, message: "Invalid request body", errorType: "BadRequestException" },
  BAD_REQUEST_PARAMETERS: { status: 400, message: "Missing required request parameters", errorType: "BadRequestException" },
  EXPIRED_TOKEN: {
    status: 403,
    message: "The security token included in the request is expired",
    errorType: "ExpiredTokenException",
  },
  INTEGRATION_FAILURE: { status: 502, message: "Internal server error", errorType: "InternalServerErrorException" },
  INTEGRATION_TIMEOUT: { status: 504, message: "Endpoint request timed out", errorType: "InternalServerErrorException" },
  INVALID_API_KEY: { status: 403, message: "Forbidden", errorType: "ForbiddenException" },
  INVALID_SIGNATURE: {
    status: 403,
    message: "The request signature does not match the one calculated here",
    errorType: "InvalidSignatureException",
  },
  MISSING_AUTHENTICATION_TOKEN: {
    status: 403,
    message: "Missing Authentication Token",
    errorType: "MissingAuthenticationTokenException",
  },
  QUOTA_EXCEEDED: { status: 429, message: "Limit Exceeded", errorType: "LimitExceededException" },
  REQUEST_TOO_LARGE: { status: 413, message: "Request Too Long", errorType: "RequestTooLargeException" },
  RESOURCE_NOT_FOUND: { status: 404, message: "Not found", errorType: "NotFoundException" },
  THROTTLED: { status: 429, message: "Too Many Requests", errorType: "TooManyRequestsException" },
  UNAUTHORIZED: { status: 401, message: "Unauthorized", errorType: "UnauthorizedException" },
  WAF_FILTERED: { status: 403, message: "Forbidden", errorType: "ForbiddenException" },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, message: "Unsupported Media Type", errorType: "BadRequestException" },
} as const satisfies Record<string, DefaultResponse>;

export type GatewayErrorType = keyof typeof gatewayErrors;

/** Types a program may customise here: the ones above and the two defaults. */
export const customisable: readonly string[] = [
  ...Object.keys(gatewayErrors),
  "DEFAULT_4XX",
  "DEFAULT_5XX",
  "AUTHORIZER_CONFIGURATION_ERROR",
  "AUTHORIZER_FAILURE",
];

/** A request that the gateway answers itself. */
export class GatewayError extends Error {
  constructor(
    readonly type: GatewayErrorType,
    message?: string,
    readonly validationErrors = "",
  ) {
    super(message ?? gatewayErrors[type].message);
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Buffer;
}

/** Renders an error with the API's own response for its type, or for its class (`DEFAULT_4XX`, `DEFAULT_5XX`). */
export function renderError(api: ApiDefinition | undefined, error: GatewayError, context: ContextValues, accept: string): Answer {
  const fallback = gatewayErrors[error.type];
  const custom = api?.responses.get(error.type) ?? api?.responses.get(fallback.status < 500 ? "DEFAULT_4XX" : "DEFAULT_5XX");
  const specific = api?.responses.get(error.type);
  // A DEFAULT response customises all of its class, but the status only where it sets one.
  const status = specific?.statusCode ?? custom?.statusCode ?? fallback.status;
  const values: ContextValues = {
    ...context,
    status: String(status),
    "error.message": error.message,
    "error.messageString": JSON.stringify(error.message),
    "error.responseType": error.type,
    "error.validationErrorString": error.validationErrors,
  };
  const { contentType, template } = chooseTemplate(custom?.templates ?? {}, accept);
  const headers: Record<string, string> = { "content-type": contentType, "x-amzn-errortype": fallback.errorType };
  for (const [target, source] of Object.entries(custom?.parameters ?? {})) {
    const name = /^gatewayresponse\.header\.(.+)$/.exec(target)?.[1];
    if (name !== undefined) headers[name.toLowerCase()] = parameterValue(source, values);
  }
  const body = template === undefined ? JSON.stringify({ message: error.message }) : substitute(template, values, "json");
  return { status, headers, body: Buffer.from(body) };
}

function chooseTemplate(
  templates: Readonly<Record<string, string>>,
  accept: string,
): { contentType: string; template: string | undefined } {
  const types = Object.keys(templates);
  const wanted = accept.split(",").map((part) => part.split(";")[0]?.trim() ?? "");
  const contentType =
    types.find((type) => wanted.includes(type)) ??
    types.find((type) => type === "application/json") ??
    types[0] ??
    "application/json";
  return { contentType, template: templates[contentType] };
}

/** `'literal'` or `context.requestId`. */
function parameterValue(source: string, values: ContextValues): string {
  if (source.startsWith("'")) return source.slice(1, -1);
  return values[source.replace(/^context\./, "")] ?? "";
}
