/**
 * The Redshift Data API over the local warehouse. https://docs.aws.amazon.com/redshift-data/latest/APIReference/
 * Statements run behind the answer: `SUBMITTED` says nothing about success, as on AWS.
 */
import {
  AwsError,
  type AwsRequest,
  type AwsResponse,
  type AwsService,
  type LocalContext,
  type Permission,
  type Principal,
} from "../contracts";
import type { DatabaseUser } from "../warehouse/warehouse";
import { describe, fieldOf, partOf, seconds } from "./redshift-answers";
import { type RedshiftServerless, serverlessArn, type Workgroup } from "./redshift-bodies";
import { StatementStore } from "./redshift-statements";

export interface RedshiftDataOptions {
  readonly redshift: RedshiftServerless;
  /** Names in the tag `RedshiftDbRoles` of an IAM role, which is a list with colons. */
  readonly databaseRolesOf: (roleName: string) => readonly string[];
}

type Body = Readonly<Record<string, unknown>>;

const MAX_STATEMENTS = 40;
const MAX_STATEMENT_BYTES = 100_000;
const PAGE_ROWS = 1_000;
const LIST_PAGE = 100;
const WITH_DATABASE = new Set([
  "ExecuteStatement",
  "BatchExecuteStatement",
  "ListDatabases",
  "ListSchemas",
  "ListTables",
  "DescribeTable",
]);
const UNSUPPORTED_FIELDS = [
  "ClusterIdentifier",
  "DbUser",
  "SessionId",
  "SessionKeepAliveSeconds",
  "WithEvent",
  "ConnectedDatabase",
];

export class RedshiftDataService implements AwsService {
  readonly name = "redshift-data";
  readonly statements: StatementStore;

  constructor(
    private readonly context: Pick<LocalContext, "region" | "accountId" | "clock">,
    private readonly options: RedshiftDataOptions,
  ) {
    this.statements = new StatementStore(options.redshift.warehouse, () => context.clock.now());
  }

  permissions(request: AwsRequest): readonly Permission[] {
    const action = `redshift-data:${request.action}`;
    if (!WITH_DATABASE.has(request.action)) return [{ action, resource: "*" }];
    const body = bodyOf(request);
    const { region, accountId } = this.context;
    const resource = serverlessArn("workgroup", String(body.WorkgroupName ?? ""), region, accountId);
    const credentials =
      typeof body.SecretArn === "string"
        ? { action: "secretsmanager:GetSecretValue", resource: body.SecretArn }
        : { action: "redshift-serverless:GetCredentials", resource };
    return [{ action, resource }, credentials];
  }

  async handle(request: AwsRequest): Promise<AwsResponse> {
    const body = bodyOf(request);
    const answer = await this.answer(request, body);
    return { status: 200, headers: { "content-type": "application/x-amz-json-1.1" }, body: JSON.stringify(answer) };
  }

  private answer(request: AwsRequest, body: Body): unknown {
    const owner = request.principal.arn;
    switch (request.action) {
      case "ExecuteStatement":
        return this.submit(request.principal, body, [text(body, "Sql")], false);
      case "BatchExecuteStatement":
        return this.submit(request.principal, body, texts(body, "Sqls"), true);
      case "DescribeStatement":
        return describe(this.statements.get(text(body, "Id"), owner));
      case "GetStatementResult":
        return this.result(body, owner);
      case "CancelStatement":
        return this.statements.cancel(this.statements.get(text(body, "Id"), owner)).then((Status) => ({ Status }));
      case "ListStatements":
        return this.list(body, owner);
      case "ListDatabases":
        return this.names(
          body,
          "Databases",
          "SELECT datname AS name FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres' ORDER BY 1",
        );
      case "ListSchemas":
        return this.names(
          body,
          "Schemas",
          "SELECT nspname AS name FROM pg_namespace WHERE nspname !~ '^(pg_(temp|toast)|redshift$)' ORDER BY 1",
        );
      case "ListTables":
        return this.tables(body);
      case "DescribeTable":
        return this.describeTable(body);
      default:
        throw new AwsError("UnknownOperationException", `redshift-data:${request.action} is not supported locally.`, 400);
    }
  }

  private submit(principal: Principal, body: Body, sqls: readonly string[], isBatch: boolean): unknown {
    const workgroup = this.workgroupOf(body);
    if (sqls.length < 1 || sqls.length > MAX_STATEMENTS)
      throw invalid(`Sqls takes 1 to ${MAX_STATEMENTS} statements, got ${sqls.length}.`);
    for (const sql of sqls) {
      const bytes = Buffer.byteLength(sql);
      if (bytes === 0 || bytes > MAX_STATEMENT_BYTES)
        throw invalid(`A statement takes 1 to ${MAX_STATEMENT_BYTES} bytes, got ${bytes}.`);
    }
    if (body.ResultFormat !== undefined && body.ResultFormat !== "JSON")
      throw invalid("ResultFormat CSV is not supported locally: use JSON.");
    const database = this.databaseOf(body);
    const secretArn = typeof body.SecretArn === "string" ? body.SecretArn : undefined;
    const statement = this.statements.submit({
      name: typeof body.StatementName === "string" ? body.StatementName : undefined,
      token: typeof body.ClientToken === "string" ? body.ClientToken : undefined,
      owner: principal.arn,
      isBatch,
      workgroupName: workgroup.name,
      secretArn,
      database,
      parameters: parametersOf(body),
      sqls,
      session: { database, user: this.userOf(principal, secretArn, workgroup) },
    });
    return {
      Id: statement.id,
      CreatedAt: seconds(statement.createdAt),
      Database: database,
      WorkgroupName: workgroup.name,
      ...(secretArn === undefined ? {} : { SecretArn: secretArn }),
    };
  }

  private userOf(principal: Principal, secretArn: string | undefined, workgroup: Workgroup): DatabaseUser {
    if (secretArn !== undefined) {
      const namespace = this.options.redshift.namespaces.get(workgroup.namespaceName);
      if (namespace?.adminSecretArn !== secretArn) {
        throw invalid(
          `SecretArn ${secretArn} holds no credentials of workgroup ${workgroup.name}. Use the namespace's adminPasswordSecretArn.`,
        );
      }
      return { kind: "admin" };
    }
    if (principal.kind === "owner") return { kind: "admin" };
    return { kind: "iam", roleName: principal.roleName, databaseRoles: this.options.databaseRolesOf(principal.roleName) };
  }

  private workgroupOf(body: Body): Workgroup {
    const unsupported = UNSUPPORTED_FIELDS.find((field) => body[field] !== undefined);
    if (unsupported !== undefined)
      throw invalid(`${unsupported} is not supported locally: the warehouse is a serverless workgroup without sessions.`);
    const name = text(body, "WorkgroupName");
    const workgroup = this.options.redshift.workgroups.get(name);
    if (workgroup === undefined) {
      const known = [...this.options.redshift.workgroups.keys()].join(", ");
      throw invalid(`Redshift endpoint doesn't exist in this region: workgroup ${name}. There is: ${known || "none"}.`);
    }
    return workgroup;
  }

  private databaseOf(body: Body): string {
    const database = text(body, "Database");
    if (!this.options.redshift.warehouse.hasDatabase(database)) throw invalid(`FATAL: database "${database}" does not exist.`);
    return database;
  }

  private result(body: Body, owner: string): unknown {
    const id = text(body, "Id");
    const statement = this.statements.get(id, owner);
    const part = partOf(statement, id);
    if (part.result === undefined || statement.status !== "FINISHED" || !part.result.hasResultSet) {
      throw new AwsError(
        "ResourceNotFoundException",
        `Query does not have result. Please check query status with DescribeStatement: ${id} is ${statement.status}.`,
      );
    }
    const { columns, rows } = part.result;
    const start = offsetOf(body);
    const next = start + PAGE_ROWS < rows.length ? { NextToken: tokenOf(start + PAGE_ROWS) } : {};
    return {
      ColumnMetadata: columns.map((column) => ({
        name: column.name,
        label: column.name,
        typeName: column.typeName,
        length: column.length,
        nullable: 1,
        precision: 0,
        scale: 0,
        isCaseSensitive: column.kind === "string",
        isCurrency: false,
        isSigned: column.kind === "long" || column.kind === "double" || column.typeName === "numeric",
        schemaName: "",
        tableName: "",
      })),
      Records: rows.slice(start, start + PAGE_ROWS).map((row) => row.map((field, index) => fieldOf(field, columns[index]?.kind))),
      TotalNumRows: rows.length,
      ...next,
    };
  }

  private list(body: Body, owner: string): unknown {
    const start = offsetOf(body);
    const size = Math.min(typeof body.MaxResults === "number" ? body.MaxResults : LIST_PAGE, LIST_PAGE);
    const prefix = typeof body.StatementName === "string" ? body.StatementName : "";
    const status = typeof body.Status === "string" && body.Status !== "ALL" ? body.Status : undefined;
    const found = this.statements
      .list(owner)
      .filter((one) => (one.name ?? "").startsWith(prefix) && (status === undefined || one.status === status));
    return {
      Statements: found.slice(start, start + size).map((one) => ({
        Id: one.id,
        CreatedAt: seconds(one.createdAt),
        UpdatedAt: seconds(one.updatedAt),
        Status: one.status,
        IsBatchStatement: one.isBatch,
        ...(one.isBatch ? { QueryStrings: one.parts.map(({ sql }) => sql) } : { QueryString: one.parts[0]?.sql }),
        ...(one.name === undefined ? {} : { StatementName: one.name }),
        ...(one.secretArn === undefined ? {} : { SecretArn: one.secretArn }),
      })),
      ...(start + size < found.length ? { NextToken: tokenOf(start + size) } : {}),
    };
  }

  private async names(body: Body, field: string, sql: string): Promise<unknown> {
    this.workgroupOf(body);
    const rows = await this.options.redshift.warehouse.query(sql, [], this.databaseOf(body));
    const pattern = likePattern(field === "Schemas" ? body.SchemaPattern : undefined);
    return { [field]: rows.map((row) => String(row.name)).filter((name) => pattern.test(name)) };
  }

  private async tables(body: Body): Promise<unknown> {
    this.workgroupOf(body);
    const rows = await this.options.redshift.warehouse.query(
      "SELECT table_schema, table_name, table_type FROM information_schema.tables WHERE table_schema <> 'redshift' ORDER BY 1, 2",
      [],
      this.databaseOf(body),
    );
    const schema = likePattern(body.SchemaPattern);
    const table = likePattern(body.TablePattern);
    return {
      Tables: rows
        .filter((row) => schema.test(String(row.table_schema)) && table.test(String(row.table_name)))
        .map((row) => ({ name: row.table_name, schema: row.table_schema, type: row.table_type === "VIEW" ? "VIEW" : "TABLE" })),
    };
  }

  private async describeTable(body: Body): Promise<unknown> {
    this.workgroupOf(body);
    const schema = typeof body.Schema === "string" ? body.Schema : "public";
    const table = text(body, "Table");
    const rows = await this.options.redshift.warehouse.query(
      "SELECT column_name, data_type, is_nullable, character_maximum_length, column_default FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2 ORDER BY ordinal_position",
      [schema, table],
      this.databaseOf(body),
    );
    return {
      TableName: table,
      ColumnList: rows.map((row) => ({
        name: row.column_name,
        label: row.column_name,
        typeName: row.data_type === "jsonb" ? "super" : row.data_type,
        nullable: row.is_nullable === "YES" ? 1 : 0,
        length: Number(row.character_maximum_length ?? 0),
        schemaName: schema,
        tableName: table,
        ...(row.column_default === null ? {} : { columnDefault: row.column_default }),
      })),
    };
  }
}

function bodyOf(request: AwsRequest): Body {
  try {
    const parsed: unknown = JSON.parse(request.body.toString("utf8") || "{}");
    if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return { ...parsed };
  } catch {
    // answered below: the reason is the same
  }
  throw new AwsError("SerializationException", "The body is no JSON object.");
}

function parametersOf(body: Body): Readonly<Record<string, string>> | undefined {
  if (body.Parameters === undefined) return undefined;
  if (!Array.isArray(body.Parameters)) throw invalid("Parameters is a list of {name, value}.");
  const entries = body.Parameters.map((parameter: unknown): [string, string] => {
    const { name, value } =
      typeof parameter === "object" && parameter !== null ? { name: undefined, value: undefined, ...parameter } : {};
    if (typeof name !== "string" || typeof value !== "string")
      throw invalid("Parameters is a list of {name, value}, both strings.");
    return [name, value];
  });
  return Object.fromEntries(entries);
}

function text(body: Body, field: string): string {
  const value = body[field];
  if (typeof value !== "string" || value === "") throw invalid(`${field} is required and must be a string.`);
  return value;
}

function texts(body: Body, field: string): string[] {
  const value = body[field];
  if (!Array.isArray(value) || !value.every((item) => typeof item === "string"))
    throw invalid(`${field} is required and must be a list of strings.`);
  return value;
}

function likePattern(pattern: unknown): RegExp {
  if (typeof pattern !== "string") return /^/;
  const source = [...pattern].map((character) =>
    character === "%" ? ".*" : character === "_" ? "." : character.replace(/[^\w]/g, "\\$&"),
  );
  return new RegExp(`^${source.join("")}$`);
}

function offsetOf(body: Body): number {
  if (body.NextToken === undefined) return 0;
  const offset = Number(Buffer.from(String(body.NextToken), "base64url").toString());
  if (!Number.isSafeInteger(offset) || offset < 0) throw invalid("NextToken is not one that was given out.");
  return offset;
}

function tokenOf(offset: number): string {
  return Buffer.from(String(offset)).toString("base64url");
}

function invalid(message: string): AwsError {
  return new AwsError("ValidationException", message);
}
