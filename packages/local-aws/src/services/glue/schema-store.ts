/** Schemas and their versions as Glue's schema registry keeps them, on SQLite. */
import { randomUUID } from "node:crypto";
import avro from "avsc";
import { AwsError, type LocalContext } from "../../contracts";
import { Documents } from "../documents";

export type Compatibility = (typeof COMPATIBILITIES)[number];

/** Those that are checked here; others have no effect that a producer could rely on. */
export const COMPATIBILITIES = [
  "NONE",
  "DISABLED",
  "BACKWARD",
  "BACKWARD_ALL",
  "FORWARD",
  "FORWARD_ALL",
  "FULL",
  "FULL_ALL",
] as const;

export interface SchemaRecord {
  readonly arn: string;
  readonly compatibility: Compatibility;
}

export interface SchemaVersion {
  readonly id: string;
  readonly schemaArn: string;
  readonly number: number;
  readonly definition: string;
  /** FAILURE: it isn't compatible, and can't be used. */
  readonly status: "AVAILABLE" | "FAILURE";
  readonly createdMs: number;
}

export class SchemaStore {
  private readonly schemas: Documents<SchemaRecord>;
  private readonly versions: Documents<SchemaVersion>;

  constructor(private readonly context: Pick<LocalContext, "db" | "clock">) {
    this.schemas = new Documents(context.db, "glue_schemas");
    this.versions = new Documents(context.db, "glue_schema_versions");
  }

  put(schema: SchemaRecord): void {
    this.schemas.put(schema.arn, schema);
  }

  delete(arn: string): void {
    for (const { id } of this.versionsOf(arn)) this.versions.delete(id);
    this.schemas.delete(arn);
  }

  /** @throws AwsError EntityNotFoundException */
  schema(arn: string): SchemaRecord {
    const found = this.schemas.get(arn);
    if (found !== undefined) return found;
    throw new AwsError("EntityNotFoundException", `Schema is not found. SchemaArn: ${arn}`);
  }

  version(id: string): SchemaVersion | undefined {
    return this.versions.get(id);
  }

  /** Oldest first. */
  versionsOf(arn: string): SchemaVersion[] {
    return this.versions.all().filter(({ schemaArn }) => schemaArn === arn);
  }

  byDefinition(arn: string, definition: string): SchemaVersion | undefined {
    const wanted = canonical(definition);
    return this.versionsOf(arn).find((version) => canonical(version.definition) === wanted);
  }

  /**
   * The version of this definition; a new one unless the schema has it. Glue checks compatibility after it has answered; here the answer
   * already says how the check ended.
   * @throws AwsError InvalidInputException when the definition is no Avro schema
   */
  register(arn: string, definition: string): SchemaVersion {
    const { compatibility } = this.schema(arn);
    const type = parse(definition);
    const known = this.byDefinition(arn, definition);
    if (known !== undefined) return known;
    const all = this.versionsOf(arn);
    const usable = all.filter(({ status }) => status === "AVAILABLE").map((version) => parse(version.definition));
    const version: SchemaVersion = {
      id: randomUUID(),
      schemaArn: arn,
      number: (all.at(-1)?.number ?? 0) + 1,
      definition,
      status: isCompatible(type, usable, compatibility) ? "AVAILABLE" : "FAILURE",
      createdMs: this.context.clock.now(),
    };
    this.versions.put(version.id, version);
    return version;
  }
}

/** Glue compares definitions after it has made them canonical; blanks don't count. */
function canonical(definition: string): string {
  try {
    return JSON.stringify(JSON.parse(definition));
  } catch {
    return definition;
  }
}

function parse(definition: string): avro.Type {
  try {
    return avro.Type.forSchema(JSON.parse(definition) as avro.Schema, { wrapUnions: true });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AwsError("InvalidInputException", `Schema definition of AVRO data format is invalid: ${reason}`);
  }
}

/** @param versions oldest first */
function isCompatible(type: avro.Type, versions: readonly avro.Type[], compatibility: Compatibility): boolean {
  if (versions.length === 0 || compatibility === "NONE") return true;
  // Only the first version may be registered.
  if (compatibility === "DISABLED") return false;
  const earlier = compatibility.endsWith("_ALL") ? versions : versions.slice(-1);
  const backward = () => earlier.every((old) => canRead(type, old));
  const forward = () => earlier.every((old) => canRead(old, type));
  if (compatibility.startsWith("BACKWARD")) return backward();
  return forward() && (compatibility.startsWith("FORWARD") || backward());
}

function canRead(reader: avro.Type, writer: avro.Type): boolean {
  try {
    reader.createResolver(writer);
    return true;
  } catch {
    return false;
  }
}
