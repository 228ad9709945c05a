/** Tables over the objects of the data bucket and the pipelines' bucket, with their partitions projected: nobody has to register a day. */
import type { CatalogTableArgs } from "@pulumi/aws/glue";
import * as pulumi from "@pulumi/pulumi";
import type { DatasetDocument } from "../../functions/gates/dataset";
import { ARCHIVE_COLUMNS, QUARANTINE_COLUMNS } from "../../functions/scoring/core/archive-record";
import { BATCH_SCORE_COLUMNS } from "../../functions/scoring/core/batch-record";
import { LABEL_COLUMNS } from "../../functions/scoring/core/label-record";
import type { AnyProfile } from "../../functions/scoring/core/profile";
import { profileById } from "../../functions/scoring/profiles";
import type { PrivateBucket } from "../shared/bucket";
import type { DataRetention } from "../shared/data-bucket";
import type { BatchFiles } from "./args";
import { archiveColumns, type CatalogColumn, inputColumns, lineColumns } from "./columns";

export interface CatalogTableSpec {
  readonly name: string;
  readonly description: string;
  readonly bucket: PrivateBucket;
  /** What keys begin with. */
  readonly prefix: string;
  readonly format: "json" | "csv";
  readonly columns: readonly CatalogColumn[];
  /** Level above the day: values by the name of its column. */
  readonly group?: { readonly column: string; readonly comment: string; readonly values: readonly string[] };
  /** How the day's level is documented. */
  readonly day: string;
  /** Days before today that exist. */
  readonly days: number;
}

/** The profile of messages of the REST API that hold no score. */
const NO_PROFILE = "rest";

export function dataTables(
  bucket: PrivateBucket,
  profiles: readonly AnyProfile[],
  { archiveDays, quarantineDays }: DataRetention,
): CatalogTableSpec[] {
  const arrival = "Day of arrival, UTC.";
  return [
    ...profiles.map(
      (profile): CatalogTableSpec => ({
        name: `archive_${profile.id}`,
        description: `Scored events of the profile ${profile.id}: one row per decision.`,
        bucket,
        prefix: `archive/${profile.id}/`,
        format: "json",
        columns: archiveColumns(profile, ARCHIVE_COLUMNS),
        day: arrival,
        days: archiveDays,
      }),
    ),
    {
      name: "quarantine",
      description: "Records that could not be scored, with the reason. The records themselves are in the raw bucket.",
      bucket,
      prefix: "quarantine/",
      format: "json",
      columns: lineColumns(QUARANTINE_COLUMNS, ["profile"]),
      group: {
        column: "profile",
        comment: QUARANTINE_COLUMNS.profile.description,
        values: [...profiles.map(({ id }) => id), NO_PROFILE],
      },
      day: arrival,
      days: quarantineDays,
    },
    {
      name: "labels",
      description: "What events turned out to be.",
      bucket,
      prefix: "labels/",
      format: "json",
      columns: lineColumns(LABEL_COLUMNS),
      day: arrival,
      days: archiveDays,
    },
  ];
}

export function batchTables({ bucket, datasets, retentionDays }: BatchFiles): CatalogTableSpec[] {
  const inWarehouse = datasets.filter(({ source }) => source.kind !== "snowflake");
  return [
    ...datasets.map((dataset) => inputTable(dataset, bucket, retentionDays)),
    // Scores of rows from Snowflake go back there and leave no lines.
    ...(inWarehouse.length === 0
      ? []
      : [
          {
            name: "batch_scores",
            description: "Scores of whole days. A day that was scored again has its newest scores only.",
            bucket,
            prefix: "inference/scores/",
            format: "json",
            columns: lineColumns(BATCH_SCORE_COLUMNS, ["dataset"]),
            group: {
              column: "dataset",
              comment: BATCH_SCORE_COLUMNS.dataset.description,
              values: inWarehouse.map(({ name }) => name),
            },
            day: "Day that was scored.",
            days: retentionDays,
          } as const,
        ]),
  ];
}

const inputTable = ({ name, profile, features }: DatasetDocument, bucket: PrivateBucket, days: number): CatalogTableSpec => ({
  name: `batch_inputs_${name}`,
  description: `Rows of the dataset ${name} that were scored in batch, as the model got them.`,
  bucket,
  prefix: `inference/input/${name}/`,
  format: "csv",
  columns: inputColumns(features, profileById(profile)),
  day: "Day that was scored.",
  days,
});

const SERDES = {
  json: { serializationLibrary: "org.openx.data.jsonserde.JsonSerDe", parameters: { "serialization.format": "1" } },
  csv: {
    serializationLibrary: "org.apache.hadoop.hive.serde2.OpenCSVSerde",
    parameters: { separatorChar: ",", quoteChar: '"', escapeChar: "\\" },
  },
} as const;

/** https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html */
export function tableArgs(spec: CatalogTableSpec): Omit<CatalogTableArgs, "databaseName"> {
  const { group } = spec;
  const location = pulumi.interpolate`s3://${spec.bucket.bucketName}/${spec.prefix}`;
  // Glue takes the braces, Pulumi must not.
  const levels = `${group === undefined ? "" : `\${${group.column}}/`}dt=\${dt}/`;
  return {
    name: spec.name,
    description: spec.description,
    tableType: "EXTERNAL_TABLE",
    parameters: {
      EXTERNAL: "TRUE",
      classification: spec.format,
      "projection.enabled": "true",
      ...(group === undefined
        ? {}
        : { [`projection.${group.column}.type`]: "enum", [`projection.${group.column}.values`]: group.values.join(",") }),
      "projection.dt.type": "date",
      "projection.dt.format": "yyyy-MM-dd",
      "projection.dt.range": `NOW-${spec.days}DAYS,NOW`,
      "storage.location.template": pulumi.interpolate`${location}${levels}`,
    },
    partitionKeys: [
      ...(group === undefined ? [] : [{ name: group.column, type: "string", comment: group.comment }]),
      { name: "dt", type: "string", comment: spec.day },
    ],
    storageDescriptor: {
      location,
      inputFormat: "org.apache.hadoop.mapred.TextInputFormat",
      outputFormat: "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
      // Of the objects, by their names' endings: .zst, .gz or none.
      compressed: true,
      serDeInfo: SERDES[spec.format],
      columns: spec.columns.map(({ parameters, ...column }) => ({
        ...column,
        ...(parameters === undefined ? {} : { parameters: { ...parameters } }),
      })),
    },
  };
}
