/** Carries out UNLOAD: the rows of a query as objects with one JSON object per line, with the role's permissions. */
import type { Client, FieldDef } from "pg";
import { translate } from "./dialect";
import { DialectError } from "./dialect/lexer";
import type { UnloadStatement } from "./dialect/unload-statement";
import type { ObjectAccess } from "./objects";

/** Redshift writes at least one file per slice; several slices keep code from relying on one file or on order. */
const SLICES = 2;
/** Files are built in memory; Redshift may write smaller ones too. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;
const ROWS_PER_FETCH = 2_000;

const BYTEA = 17;
const SUPER = 3802;
/** int8, int2, int4, float4, float8, numeric. */
const NUMBERS: ReadonlySet<number> = new Set([20, 21, 23, 700, 701, 1700]);

/** @returns the number of rows; @throws Error that names what is in the way */
export async function runUnload(client: Client, unload: UnloadStatement, objects: ObjectAccess): Promise<number> {
  await authorize(unload, objects);
  const translation = translate(unload.query);
  if (translation.kind !== "sql") throw new DialectError("UNLOAD takes a SELECT.");
  await client.query(`DECLARE unloaded NO SCROLL CURSOR FOR ${translation.sql}`);
  const files = Array.from({ length: SLICES }, (_, slice) => new Files(unload, slice, objects));
  let rows = 0;
  for (;;) {
    const page = await client.query<(string | null)[]>({
      text: `FETCH ${ROWS_PER_FETCH} FROM unloaded`,
      rowMode: "array",
      types: { getTypeParser: () => (text: string | Buffer) => text.toString() },
    });
    const names = namesOf(page.fields);
    for (const row of page.rows) {
      const members = row.map((value, index) => `${names[index]}:${json(value, page.fields[index] as FieldDef)}`);
      await files[rows % files.length]?.add(`{${members.join(",")}}\n`);
      rows += 1;
    }
    if (page.rows.length < ROWS_PER_FETCH) break;
  }
  await client.query("CLOSE unloaded");
  for (const file of files) await file.end();
  return rows;
}

async function authorize({ bucket, prefix, roleArn, kmsKeyId }: UnloadStatement, objects: ObjectAccess): Promise<void> {
  await objects.authorizeRole(roleArn, { action: "s3:ListBucket", resource: `arn:aws:s3:::${bucket}` });
  if (kmsKeyId?.startsWith("arn:")) await objects.authorizeRole(roleArn, { action: "kms:GenerateDataKey", resource: kmsKeyId });
  const [existing] = await objects.listObjects({ bucket, prefix });
  if (existing === undefined) return;
  throw new Error(
    `UNLOAD: Specified unload destination on S3 is not empty: s3://${bucket}/${existing}. Use another prefix, or remove the objects.`,
  );
}

/** Names as JSON text. */
function namesOf(fields: readonly FieldDef[]): string[] {
  const names = fields.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new Error(`UNLOAD: the column ${twice} is there twice; JSON needs unique names. Name one with AS.`);
  return names.map((name) => JSON.stringify(name));
}

/** A field in the form that Redshift writes: booleans are the texts t and f, times are as in a query's result. */
function json(value: string | null, { name, dataTypeID: type }: FieldDef): string {
  if (value === null) return "null";
  if (type === SUPER) return value;
  if (type === BYTEA) throw new Error(`UNLOAD: the column ${name} is VARBYTE, which JSON cannot hold. Leave it out.`);
  if (!NUMBERS.has(type)) return JSON.stringify(value);
  if (/^-?(nan|inf)/i.test(value))
    throw new Error(`UNLOAD: the column ${name} has the value ${value}, which JSON cannot hold. Make it NULL.`);
  return value;
}

/** The files of one slice. */
class Files {
  private written = 0;
  private lines: string[] = [];
  private bytes = 0;

  constructor(
    private readonly unload: UnloadStatement,
    private readonly slice: number,
    private readonly objects: ObjectAccess,
  ) {}

  async add(line: string): Promise<void> {
    const size = Buffer.byteLength(line);
    if (this.bytes > 0 && this.bytes + size > MAX_FILE_BYTES) await this.end();
    this.lines.push(line);
    this.bytes += size;
  }

  /** Writes the lines so far. */
  async end(): Promise<void> {
    if (this.lines.length === 0) return;
    const { bucket, prefix, roleArn } = this.unload;
    const key = `${prefix}${String(this.slice).padStart(4, "0")}_part_${String(this.written).padStart(2, "0")}`;
    await this.objects.authorizeRole(roleArn, { action: "s3:PutObject", resource: `arn:aws:s3:::${bucket}/${key}` });
    await this.objects.writeObject({ bucket, key }, Buffer.from(this.lines.join("")));
    this.written += 1;
    this.lines = [];
    this.bytes = 0;
  }
}
