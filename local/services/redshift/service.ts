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
} from "../../contracts";
import { type JsonAction, type Members, paginate, runJsonAction } from "../../gateway/json-service";
import { jsonBody } from "../../gateway/protocols";
import type { DatabaseUser } from "../../warehouse";
import { describe, fieldOf, partOf, seconds } from "./answers";
import { serverlessArn } from "./arn";
import type { RedshiftServerless, Workgroup } from "./serverless";
import { StatementStore } from "./statements";

export interface RedshiftDataOptions {
  readonly redshift: RedshiftServerless;
  /** Names in the tag `RedshiftDbRoles` of an IAM role, which is a list with colons. */
  readonly databaseRolesOf: (roleName: string) => readonly string[];
}

const MAX_STATEMENTS = 40;
const MAX_STATEMENT_BYTES = 100_000;
const PAGE_ROWS = 1_000;

export class RedshiftDataService implements AwsService {
  readonly name = "redshift-data";
  readonly statements: StatementStore;
  private readonly actions: Readonly<Record<string, JsonAction>> = {
    ExecuteStatement: (members, { principal }) => this.submit(principal, members, [members.text("Sql")], false),
    BatchExecuteStatement: (members, { principal }) => this.submit(principal, members, members.texts("Sqls"), true),
    DescribeStatement: (members, { principal }) => describe(this.statements.get(members.text("Id"), principal.arn)),
    GetStatementResult: (members, { principal }) => this.result(members, principal.arn),
    CancelStatement: async (members, { principal }) => ({
      Status: await this.statements.cancel(this.statements.get(members.text("Id"), principal.arn)),
    }),
  };

  constructor(
    private readonly context: Pick<LocalContext, "region" | "accountId" | "clock">,
    private readonly options: RedshiftDataOptions,
  ) {
    this.statements = new StatementStore(options.redshift.warehouse, () => context.clock.now());
  }

  permissions(request: AwsRequest): readonly Permission[] {
    const action = `redshift-data:${request.action}`;
    const { WorkgroupName, SecretArn } = jsonBody(request);
    if (!request.action.endsWith("ExecuteStatement")) return [{ action, resource: "*" }];
    const resource = serverlessArn("workgroup", String(WorkgroupName ?? ""), this.context.region, this.context.accountId);
    const credentials =
      typeof SecretArn === "string"
        ? { action: "secretsmanager:GetSecretValue", resource: SecretArn }
        : { action: "redshift-serverless:GetCredentials", resource };
    return [{ action, resource }, credentials];
  }

  handle(request: AwsRequest): Promise<AwsResponse> {
    return runJsonAction("redshift-data", this.actions, request);
  }

  private submit(principal: Principal, members: Members, sqls: readonly string[], isBatch: boolean): unknown {
    const workgroup = this.workgroupOf(members);
    if (sqls.length < 1 || sqls.length > MAX_STATEMENTS)
      throw invalid(`Sqls takes 1 to ${MAX_STATEMENTS} statements, got ${sqls.length}.`);
    for (const sql of sqls) {
      const bytes = Buffer.byteLength(sql);
      if (bytes === 0 || bytes > MAX_STATEMENT_BYTES)
        throw invalid(`A statement takes 1 to ${MAX_STATEMENT_BYTES} bytes, got ${bytes}.`);
    }
    const secretArn = members.optionalText("SecretArn");
    const submission = {
      token: members.optionalText("ClientToken"),
      owner: principal.arn,
      isBatch,
      workgroupName: workgroup.name,
      secretArn,
      database: this.databaseOf(members),
      parameters: parametersOf(members),
    };
    // The name of a statement is shown in lists of statements only.
    members.accept("StatementName").refuseRest();
    const statement = this.statements.submit({
      ...submission,
      sqls,
      session: { database: submission.database, user: this.userOf(principal, secretArn, workgroup) },
    });
    return {
      Id: statement.id,
      CreatedAt: seconds(statement.createdAt),
      Database: statement.database,
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

  private workgroupOf(members: Members): Workgroup {
    const name = members.text("WorkgroupName");
    const workgroup = this.options.redshift.workgroups.get(name);
    if (workgroup === undefined) {
      const known = [...this.options.redshift.workgroups.keys()].join(", ");
      throw invalid(`Redshift endpoint doesn't exist in this region: workgroup ${name}. There is: ${known || "none"}.`);
    }
    return workgroup;
  }

  private databaseOf(members: Members): string {
    const database = members.text("Database");
    if (!this.options.redshift.warehouse.hasDatabase(database)) throw invalid(`FATAL: database "${database}" does not exist.`);
    return database;
  }

  private result(members: Members, owner: string): unknown {
    const id = members.text("Id");
    const statement = this.statements.get(id, owner);
    const part = partOf(statement, id);
    if (part.result === undefined || statement.status !== "FINISHED" || !part.result.hasResultSet) {
      throw new AwsError(
        "ResourceNotFoundException",
        `Query does not have result. Please check query status with DescribeStatement: ${id} is ${statement.status}.`,
      );
    }
    const { columns, rows } = part.result;
    const { page, next } = paginate(rows, PAGE_ROWS, members.optionalText("NextToken"));
    members.refuseRest();
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
      Records: page.map((row) => row.map((field, index) => fieldOf(field, columns[index]?.kind))),
      TotalNumRows: rows.length,
      ...(next === undefined ? {} : { NextToken: next }),
    };
  }
}

function parametersOf(members: Members): Readonly<Record<string, string>> | undefined {
  const entries = members.records("Parameters").map(({ name, value }): [string, string] => {
    if (typeof name !== "string" || typeof value !== "string")
      throw invalid("Parameters is a list of {name, value}, both strings.");
    return [name, value];
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function invalid(message: string): AwsError {
  return new AwsError("ValidationException", message);
}
