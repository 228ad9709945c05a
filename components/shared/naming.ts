import { createHash } from "node:crypto";
import * as pulumi from "@pulumi/pulumi";

/** What makes physical names unique: two stacks differ in `environment`, two copies of one stack in `suffix`. */
export interface Naming {
  /** Lower-case letters and digits: `dev`, `staging`, `prod`. */
  readonly environment: string;
  /** Lower-case letters and digits. How long it may be within S3's 63 characters depends on the other parts of a bucket's name. */
  readonly suffix: string;
}

/** `dev-a1`: distinguishes the metrics and costs of one stack from those of others in its account, as dimension and tag `environment`. */
export const environmentOf = ({ environment, suffix }: Naming): string => `${environment}-${suffix}`;

/** For a component without a given naming: the stack's name without other characters, and a hash that differs between projects. */
export function stackNaming(): Naming {
  const identity = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
  return {
    environment: pulumi
      .getStack()
      .toLowerCase()
      .replace(/[^a-z0-9]/g, ""),
    suffix: createHash("sha256").update(identity).digest("hex").slice(0, 6),
  };
}

const ALLOWED = /^[a-z0-9][a-z0-9-]*[a-z0-9]$/;

/** A physical name that its service would reject. */
export class PhysicalNameError extends Error {
  readonly code = "PHYSICAL_NAME";

  constructor(
    readonly physicalName: string,
    readonly maxLength: number,
    parts: readonly string[],
  ) {
    super(
      `Physical name "${physicalName}": expected at most ${maxLength} characters of a-z, 0-9 and inner hyphens, got ` +
        `${physicalName.length}. It is made of ${parts.map((part) => `"${part}"`).join(", ")}: shorten or correct one of them.`,
    );
  }
}

/**
 * `[stem, environment, …extra, suffix]` joined by hyphens, e.g. `fraud-transactions-dev-a1`.
 * @throws PhysicalNameError when the name breaks the service's rules
 */
export function physicalName(stem: string, naming: Naming, maxLength: number, extra: readonly string[] = []): string {
  const parts = [stem, naming.environment, ...extra, naming.suffix];
  const name = parts.join("-");
  if (name.length > maxLength || !ALLOWED.test(name)) throw new PhysicalNameError(name, maxLength, parts);
  return name;
}

/** Longest names that the services accept. */
export const MAX_LENGTH = { bucket: 63, function: 64, schemaRegistry: 255, stream: 128, table: 255, workgroup: 64 } as const;

/** Physical names of a stream processor, except that of its data bucket. */
export interface StreamNames {
  readonly stream: string;
  readonly function: string;
  readonly resultsTable: string;
  readonly schemaRegistry: string;
  /** `/fraud-detection/dev/a1`: the prefix of its parameters. */
  readonly parameterPath: string;
}

export function streamNames(name: string, naming: Naming): StreamNames {
  return {
    stream: physicalName(`${name}-transactions`, naming, MAX_LENGTH.stream),
    function: physicalName(`${name}-processor`, naming, MAX_LENGTH.function),
    resultsTable: physicalName(`${name}-results`, naming, MAX_LENGTH.table),
    schemaRegistry: physicalName(`${name}-schemas`, naming, MAX_LENGTH.schemaRegistry),
    parameterPath: `/${name}-detection/${naming.environment}/${naming.suffix}`,
  };
}

/** First part of bucket names, unless the caller has another. */
const BUCKET_PREFIX = "company";

/** `company-fraud-data-dev-us-east-1-a1`: the warehouse's queue policy names the bucket before it exists. */
export function dataBucketName(name: string, naming: Naming, region: string, bucketPrefix = BUCKET_PREFIX): string {
  return physicalName(`${bucketPrefix}-${name}-data`, naming, MAX_LENGTH.bucket, [region]);
}

/** Name of a pipeline store's bucket, which the warehouse's role must know before the bucket exists. */
export function pipelineBucketName(instance: string, naming: Naming, region: string, bucketPrefix = BUCKET_PREFIX): string {
  return physicalName(`${bucketPrefix}-risk-${instance}`, naming, MAX_LENGTH.bucket, [region]);
}
