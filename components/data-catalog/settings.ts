/** The complete settings of a catalog: defaults are filled in and missing parts created. */
import * as pulumi from "@pulumi/pulumi";
import { platformContext } from "../shared/context";
import { DATA_RETENTION } from "../shared/data-bucket";
import { type Naming, physicalName } from "../shared/naming";
import type { DataCatalogArgs } from "./args";
import { batchTables, dataTables } from "./tables";

/** Athena API reference, WorkGroupConfiguration: BytesScannedCutoffPerQuery is at least 10,000,000. */
const LEAST_LIMIT_MB = 10;
const SCAN_LIMIT_MB = 10_240;
const RESULT_DAYS = 7;

/** Athena API reference, WorkGroupName. */
const MAX_WORKGROUP_NAME = 128;

export type CatalogSettings = ReturnType<typeof catalogSettings>;

export function catalogSettings(instance: string, args: DataCatalogArgs, parent: pulumi.Resource) {
  const { bucket, profiles, batch, scanLimitMb = SCAN_LIMIT_MB, resultDays = RESULT_DAYS } = args;
  check(instance, "scanLimitMb", scanLimitMb, LEAST_LIMIT_MB);
  check(instance, "resultDays", resultDays, 1);
  const context = platformContext(instance, args.context, parent);
  const workgroupName = workgroupNameOf(instance, context.naming);
  return {
    context,
    workgroupName,
    // Without hyphens a name needs no quotes in SQL.
    databaseName: workgroupName.replaceAll("-", "_"),
    scanLimitBytes: scanLimitMb * 2 ** 20,
    resultDays,
    tables: [
      ...dataTables(bucket, profiles, { ...DATA_RETENTION, ...args.retention }),
      ...(batch === undefined ? [] : batchTables(batch)),
    ],
    transform: args.transform ?? {},
  };
}

/** `risk-catalog-dev-a1`. */
const workgroupNameOf = (instance: string, naming: Naming): string =>
  physicalName(`risk-${instance}`, naming, MAX_WORKGROUP_NAME);

function check(instance: string, name: string, value: number, least: number): void {
  if (!Number.isInteger(value) || value < least)
    throw new pulumi.RunError(`DataCatalog "${instance}": args.${name} must be a whole number from ${least} on, got ${value}.`);
}
