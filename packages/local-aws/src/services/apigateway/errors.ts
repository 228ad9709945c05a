/** Gateway responses: the errors that the gateway itself returns, and how an API customises them. */
import type { ApiDefinition } from "./api";
import { type ContextValues, contextValue, substitute } from "./context";

interface DefaultResponse {
  readonly status: number;
  readonly message: string;
  /** Header `x-amzn-ErrorType`. */
  readonly errorType: string;
}

/** The errors that occur here. Source: "Gateway response types", Amazon API Gateway developer guide. */
const gatewayErrors = {
  ACCESS_DENIED: { status: 403, message: "User is not authorized to access this resource", errorType: "AccessDeniedException" },
  API_CONFIGURATION_ERROR: { status: 500, message: "Internal server error", errorType: "InternalServerErrorException" },
  BAD_REQUEST_BODY: { status: 400, message: "Invalid request body", errorType: "BadRequestException" },
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
  THROTTLED: { status: 429, message: "Too Many Requests", errorType: "TooManyRequestsException" },
  WAF_FILTERED: { status: 403, message: "Forbidden", errorType: "ForbiddenException" },
} as const satisfies Record<string, DefaultResponse>;

type GatewayErrorType = keyof typeof gatewayErrors;

/** Types that a program may customise: all of API Gateway's, although authorisers, parameters and expiry cause no errors here. */
export const customisable: readonly string[] = [
  ...Object.keys(gatewayErrors),
  "AUTHORIZER_CONFIGURATION_ERROR",
  "AUTHORIZER_FAILURE",
  "BAD_REQUEST_PARAMETERS",
  "DEFAULT_4XX",
  "DEFAULT_5XX",
  "EXPIRED_TOKEN",
  "RESOURCE_NOT_FOUND",
  "UNAUTHORIZED",
  "UNSUPPORTED_MEDIA_TYPE",
];

/** An error that the gateway itself returns. */
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
export function renderError(api: ApiDefinition | undefined, error: GatewayError, context: ContextValues): Answer {
  const fallback = gatewayErrors[error.type];
  const custom = api?.responses.get(error.type) ?? api?.responses.get(fallback.status < 500 ? "DEFAULT_4XX" : "DEFAULT_5XX");
  const specific = api?.responses.get(error.type);
  // A DEFAULT response customises all of its class, but the status only where it sets one.
  const status = specific?.statusCode ?? custom?.statusCode ?? fallback.status;
  const values: ContextValues = {
    ...context,
    status: String(status),
    "error.messageString": JSON.stringify(error.message),
    "error.responseType": error.type,
    "error.validationErrorString": error.validationErrors,
  };
  const headers: Record<string, string> = { "content-type": "application/json", "x-amzn-errortype": fallback.errorType };
  for (const [target, source] of Object.entries(custom?.parameters ?? {})) {
    const name = /^gatewayresponse\.header\.(.+)$/.exec(target)?.[1];
    if (name !== undefined) headers[name.toLowerCase()] = parameterValue(source, values);
  }
  const body =
    custom?.template === undefined ? JSON.stringify({ message: error.message }) : substitute(custom.template, values, "json");
  return { status, headers, body: Buffer.from(body) };
}

/** `'literal'` or `context.requestId`. */
function parameterValue(source: string, values: ContextValues): string {
  if (source.startsWith("'")) return source.slice(1, -1);
  return contextValue(source.replace(/^context\./, ""), values);
}
