/** What the AWS SDK's errors have in common. */

/** HTTP status of the response; undefined when there was none. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("$metadata" in error)) return undefined;
  // The SDK's own member, of this shape on every service error.
  return (error.$metadata as { readonly httpStatusCode?: number } | undefined)?.httpStatusCode;
}

/** The account or the resource gets more calls than it accepts; some services answer that with 400 instead of 429. */
export const isThrottled = (error: unknown): boolean =>
  statusOf(error) === 429 ||
  (error instanceof Error && /Throttl|TooManyRequests|RequestLimitExceeded|ProvisionedThroughputExceeded/.test(error.name));

/** Names and codes that Node and the SDK give to connection errors. */
const CONNECTION_ERRORS: ReadonlySet<string> = new Set([
  "TimeoutError",
  "ECONNRESET",
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EPIPE",
  "ETIMEDOUT",
]);

/** The same call may succeed a moment later: it was throttled, the service had a fault, or the connection broke. */
export function isTransient(error: unknown): boolean {
  if (isThrottled(error) || (statusOf(error) ?? 0) >= 500) return true;
  if (!(error instanceof Error)) return false;
  const { code, $fault } = error as Error & { readonly code?: string; readonly $fault?: string };
  return $fault === "server" || CONNECTION_ERRORS.has(error.name) || (code !== undefined && CONNECTION_ERRORS.has(code));
}
