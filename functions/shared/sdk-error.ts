/** What the errors of the AWS SDK have in common. */

/** HTTP status of the answer; undefined when none came. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("$metadata" in error)) return undefined;
  // The SDK's own member, of this shape on every service error.
  return (error.$metadata as { readonly httpStatusCode?: number } | undefined)?.httpStatusCode;
}

/** The account or the resource gets more calls than it takes; services say so with 400 as often as with 429. */
export const isThrottled = (error: unknown): boolean =>
  statusOf(error) === 429 ||
  (error instanceof Error && /Throttl|TooManyRequests|RequestLimitExceeded|ProvisionedThroughputExceeded/.test(error.name));

/** Errors of a connection, by the names and codes that Node and the SDK give them. */
const CONNECTION_ERRORS: ReadonlySet<string> = new Set([
  "TimeoutError",
  "ECONNRESET",
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EPIPE",
  "ETIMEDOUT",
]);

/** The same call may succeed a moment later: throttled, a fault of the service, or a connection that broke. */
export function isTransient(error: unknown): boolean {
  if (isThrottled(error) || (statusOf(error) ?? 0) >= 500) return true;
  if (!(error instanceof Error)) return false;
  const { code, $fault } = error as Error & { readonly code?: string; readonly $fault?: string };
  return $fault === "server" || CONNECTION_ERRORS.has(error.name) || (code !== undefined && CONNECTION_ERRORS.has(code));
}
