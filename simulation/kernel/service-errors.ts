/** Errors as the AWS SDK throws them. */
import type { Service } from "./faults";

export function serviceError(name: string, status: number, message: string): Error {
  return Object.assign(new Error(message), {
    name,
    $metadata: { httpStatusCode: status },
    $fault: status >= 500 ? "server" : "client",
  });
}

/** Names from the services' API references. */
const THROTTLED: Partial<Record<Service, readonly [name: string, status: number]>> = {
  dynamodb: ["ProvisionedThroughputExceededException", 400],
  kinesis: ["ProvisionedThroughputExceededException", 400],
  s3: ["SlowDown", 503],
  api: ["TooManyRequestsException", 429],
};

export function throttledError(service: Service): Error {
  const [name, status] = THROTTLED[service] ?? ["ThrottlingException", 400];
  return serviceError(name, status, "Rate exceeded.");
}

export const internalError = (): Error => serviceError("InternalServerException", 500, "Internal server error.");
export const timeoutError = (): Error => Object.assign(new Error("No response in time."), { name: "TimeoutError" });
export const connectionError = (): Error => Object.assign(new Error("socket hang up"), { name: "Error", code: "ECONNRESET" });

/** What the SDK's standard mode repeats. */
export function isRetried(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { $metadata, code } = error as Error & {
    readonly $metadata?: { readonly httpStatusCode?: number };
    readonly code?: string;
  };
  const status = $metadata?.httpStatusCode ?? 0;
  return status >= 500 || status === 429 || /Throttl|ThroughputExceeded|Timeout/.test(error.name) || code === "ECONNRESET";
}
