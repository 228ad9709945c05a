/**
 * Columns of the tables, from the declarations that write the lines. A value in JSON has the type that the file has: text for times, because
 * what a SerDe takes for a timestamp differs from SerDe to SerDe, and ISO 8601 in UTC compares as text.
 */
import type { Classification, JsonSchema } from "../../functions/scoring/core/json-schema";
import type { LineColumn, LineColumns } from "../../functions/scoring/core/line-columns";
import type { AnyProfile } from "../../functions/scoring/core/profile";
import type { FeatureSpecEntry } from "../../functions/scoring/models/feature-spec";
import { type RegisteredFeature, registeredFeatures } from "../../functions/scoring/profiles/feature-registry";

/** A column as Glue takes it. */
export interface CatalogColumn {
  readonly name: string;
  /** Hive's name of the type. */
  readonly type: string;
  readonly comment: string;
  readonly parameters?: Readonly<Record<string, string>>;
}

/** Glue API reference, Column: Comment. */
export const MAX_COMMENT = 255;

/** By the beginning of Redshift's type. */
const TYPES: readonly (readonly [string, string])[] = [
  ["VARCHAR", "string"],
  ["CHAR", "string"],
  ["TIMESTAMPTZ", "string"],
  ["DATE", "string"],
  ["DOUBLE PRECISION", "double"],
  ["BIGINT", "bigint"],
  ["BOOLEAN", "boolean"],
  // Text that holds JSON, for `json_extract_scalar`.
  ["SUPER", "string"],
];

function typeOf(name: string, { type, nested }: LineColumn<unknown>): string {
  const found = nested ?? TYPES.find(([beginning]) => type.startsWith(beginning))?.[1];
  if (found === undefined)
    throw new Error(`The column ${name} is of type ${type}, which has no Hive type in columns.ts; add it there.`);
  return found;
}

/** Whole sentences as far as they fit. */
export function commentOf(text: string): string {
  if (text.length <= MAX_COMMENT) return text;
  const cut = text.slice(0, MAX_COMMENT - 1);
  return `${cut.slice(0, cut.lastIndexOf(" "))}…`;
}

/** The fields of lines as columns. @param without fields that the table has as partition columns */
export function lineColumns(columns: LineColumns, without: readonly string[] = []): CatalogColumn[] {
  return Object.entries(columns)
    .filter(([name]) => !without.includes(name))
    .map(([name, column]) => ({
      name,
      type: typeOf(name, column),
      comment: commentOf(column.description),
      ...(column.classification === undefined ? {} : { parameters: classification(column.classification) }),
    }));
}

/** The columns of archived events, with the features of the profile as members: a name that doesn't exist is then an error, not a null. */
export function archiveColumns(profile: AnyProfile, columns: LineColumns): CatalogColumn[] {
  const features = registeredFeatures(profile);
  return lineColumns(columns).map((column) => {
    if (column.name === "features") {
      const members = features.map(({ name }) => `${name}:double`).join(",");
      return { ...column, type: `struct<${members}>`, parameters: byName(features, featureComment) };
    }
    return column.name === "input" ? { ...column, parameters: classifiedFields(profile.schema) } : column;
  });
}

/** The columns of a dataset's CSV: all text, because OpenCSVSerDe takes an empty field for no number. */
export function inputColumns(features: readonly FeatureSpecEntry[], profile: AnyProfile): CatalogColumn[] {
  const registered = new Map(registeredFeatures(profile).map((feature) => [feature.name, feature]));
  return [
    { name: "key", type: "string", comment: "Key of the row, percent-encoded where it has a line break or a percent sign." },
    ...features.map(({ name }) => {
      const feature = registered.get(name);
      return {
        name,
        type: "string",
        comment: commentOf(feature === undefined ? "Input of the profile." : featureComment(feature)),
      };
    }),
  ];
}

/** `Distance from home (km)`. */
export function featureComment({ description, unit, categories, type }: RegisteredFeature): string {
  const what = unit === undefined ? description : `${description} (${unit})`;
  if (categories !== undefined) return `${what}: index, from 0, in ${categories.join(", ")}`;
  return type === "text" ? `${what}: hash of the text, which is in the input` : what;
}

const classification = (kind: Classification) => ({ "x-classification": kind });

const byName = <T extends { readonly name: string }>(all: readonly T[], text: (one: T) => string) =>
  Object.fromEntries(all.map((one) => [one.name, text(one)]));

/** Members of the stored input that aren't what the sender sent: `{ email: "personal" }`. */
const classifiedFields = ({ properties = {} }: JsonSchema): Record<string, string> =>
  Object.fromEntries(
    Object.entries(properties).flatMap(([name, { "x-classification": kind }]) => (kind === undefined ? [] : [[name, kind]])),
  );
