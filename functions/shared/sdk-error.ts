/** What the errors of the AWS SDK have in common. */

/** HTTP status of the answer; undefined when none came. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== "object" || error === null || !("$metadata" in error)) return undefined;
  // The SDK's own member, of this shape on every service error.
  return (error.$metadata as { readonly httpStatusCode?: number } | undefined)?.httpStatusCode;
}

/** The account or the resource gets more calls than it takes; services say so with 400 as often as with 429. */
export const isThrottled = (error: unknown): boolean =>
  statusOf(error) === 429 || (error instanceof Error && /Throttl|TooManyRequests|RequestLimitExceeded/.test(error.name));

/** The same call may succeed a moment later: throttled, a fault of the service, or no answer at all. */
export const isTransient = (error: unknown): boolean => isThrottled(error) || (statusOf(error) ?? 500) >= 500;
