/** What makes physical names unique: two stacks differ in `environment`, two copies of one stack in `suffix`. */
export interface Naming {
  /** Lower-case letters and digits: `dev`, `staging`, `prod`. */
  readonly environment: string;
  /** Lower-case letters and digits, at most 8, so that the longest bucket name stays under S3's 63 characters. */
  readonly suffix: string;
}

/** `dev-a1`: tells the metrics and costs of one stack from those of others in its account, as the dimension and tag `environment`. */
export const environmentOf = ({ environment, suffix }: Naming): string => `${environment}-${suffix}`;

const ALLOWED = /^[a-z0-9][a-z0-9-]*[a-z0-9]$/;

/**
 * `[stem, environment, …extra, suffix]` joined by hyphens, e.g. `fraud-transactions-dev-a1`.
 * @throws Error when the name breaks the service's rules; it names the parts to shorten.
 */
export function physicalName(stem: string, naming: Naming, maxLength: number, extra: readonly string[] = []): string {
  const name = [stem, naming.environment, ...extra, naming.suffix].join("-");
  if (name.length > maxLength || !ALLOWED.test(name)) {
    throw new Error(
      `Physical name "${name}": expected at most ${maxLength} characters of a-z, 0-9 and inner hyphens, got ${name.length}. ` +
        `Shorten or correct the component's name ("${stem}"), the environment ("${naming.environment}") or the suffix ("${naming.suffix}").`,
    );
  }
  return name;
}

/** Longest names that the services accept. */
export const MAX_LENGTH = { bucket: 63, function: 64, stream: 128, table: 255, workgroup: 64 } as const;

/** Names of a stream processor that other parts may need before it exists (a queue policy names the bucket that may send). */
export interface StreamNames {
  readonly stream: string;
  readonly function: string;
  readonly resultsTable: string;
  readonly bucket: string;
  /** `/fraud-detection/dev/a1`: parameters live below it. */
  readonly parameterPath: string;
}

export function streamNames(name: string, naming: Naming, region: string, bucketPrefix: string): StreamNames {
  return {
    stream: physicalName(`${name}-transactions`, naming, MAX_LENGTH.stream),
    function: physicalName(`${name}-processor`, naming, MAX_LENGTH.function),
    resultsTable: physicalName(`${name}-results`, naming, MAX_LENGTH.table),
    bucket: physicalName(`${bucketPrefix}-${name}-data`, naming, MAX_LENGTH.bucket, [region]),
    parameterPath: `/${name}-detection/${naming.environment}/${naming.suffix}`,
  };
}
