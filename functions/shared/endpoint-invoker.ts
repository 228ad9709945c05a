import { EndpointFailure, type InvokeEndpoint } from "../scoring/models/endpoint";
import { isThrottled, statusOf } from "./sdk-error";

/** The part of the SageMaker runtime client that is used. */
export interface EndpointClient {
  send(
    request: { readonly endpointName: string; readonly contentType: string; readonly body: string },
    signal: AbortSignal,
  ): Promise<string>;
}

/**
 * The client is made at the first call: functions without an endpoint in their chain never pay for it. It is imported statically all the
 * same: a module that is loaded later keeps the bundler from dropping the unused parts of everything that it shares with other modules.
 */
export function createEndpointInvoker(make: () => EndpointClient): InvokeEndpoint {
  let client: EndpointClient | undefined;
  return async ({ signal, ...request }) => {
    client ??= make();
    try {
      return await client.send(request, signal);
    } catch (error) {
      throw endpointFailure(request.endpointName, error);
    }
  };
}

/**
 * What an SDK error means for a caller. Errors of the container (`ModelError`, 424) are not retried: the same rows would fail again.
 * https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html#API_runtime_InvokeEndpoint_Errors
 */
export function endpointFailure(endpointName: string, error: unknown): EndpointFailure {
  const status = statusOf(error);
  const name = error instanceof Error ? error.name : "UnknownError";
  const message = `Endpoint ${endpointName} failed: ${name}${status === undefined ? "" : ` (HTTP ${status})`}.`;
  if (isThrottled(error)) return new EndpointFailure("throttled", message, true);
  if (name === "ModelError" || name === "ModelNotReadyException") {
    return new EndpointFailure("model_error", message, name === "ModelNotReadyException");
  }
  if (status !== undefined && status < 500) return new EndpointFailure("rejected", message, false);
  return new EndpointFailure("unreachable", message, true);
}
