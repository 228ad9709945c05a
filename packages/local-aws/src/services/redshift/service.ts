/**
 * The Redshift Data API over the local warehouse. https://docs.aws.amazon.com/redshift-data/latest/APIReference/
 * Statements run in the background: `SUBMITTED` says nothing about success, as on AWS.
 */

import type { DatabaseUser, Warehouse } from "@risk/local-warehouse";
import { AwsError, type AwsService, type LocalContext, type Permission, type Principal } from "../../contracts";
import type { Input } from "../messaging/input";
import { type Operation, page, serviceOf } from "../messaging/operations";
import { describe, fieldOf, partOf, seconds } from "./answers";
import { serverlessArn } from "./arn";
import type { RedshiftServerless, Workgroup } from "./serverless";
import { type Statement, StatementStore } from "./statements";

export interface RedshiftDataOptions {
  readonly redshift: Pick<RedshiftServerless, "namespaces" | "workgroups">;
  readonly warehouse: Pick<Warehouse, "begin" | "hasDatabase">;
  /** Names in the tag `RedshiftDbRoles` of an IAM role, which is a list with colons. */
  readonly databaseRolesOf: (roleName: string) => readonly string[];
}

const MAX_STATEMENTS = 40;
const MAX_STATEMENT_BYTES = 100_000;
const PAGE_ROWS = 1_000;

export class RedshiftDataService implements AwsService {
  readonly name = "redshift-data";
  readonly statements: StatementStore;
  readonly permissions: AwsService["permissions"];
  readonly handle: AwsService["handle"];

  constructor(
    private readonly context: Pick<LocalContext, "region" | "accountId" | "clock">,
    private readonly options: RedshiftDataOptions,
  ) {
    this.statements = new StatementStore(options.warehouse, () => context.clock.now());
    const service = serviceOf({
      name: this.name,
      iamPrefix: "redshift-data",
      validationCode: "ValidationException",
      jsonVersion: "1.1",
      operations: this.operations(),
    });
    this.permissions = service.permissions;
    this.handle = service.handle;
  }

  private operations(): Record<string, Operation> {
    const ofStatement = (input: Input, { arn }: Principal) => this.statements.get(input.needText("Id"), arn);
    const resource = (input: Input) =>
      serverlessArn("workgroup", input.text("WorkgroupName") ?? "", this.context.region, this.context.accountId);
    const needs = (input: Input): Permission[] => {
      const secretArn = input.text("SecretArn");
      if (secretArn !== undefined) return [{ action: "secretsmanager:GetSecretValue", resource: secretArn }];
      return [{ action: "redshift-serverless:GetCredentials", resource: resource(input) }];
    };
    // The name of a statement only appears in lists of statements.
    const fields = ["WorkgroupName", "Database", "SecretArn", "ClientToken", "StatementName"];
    return {
      ExecuteStatement: {
        fields: [...fields, "Sql", "Parameters"],
        resource,
        needs,
        run: (input, { principal }) => this.submit(principal, input, [input.needText("Sql")], false),
      },
      BatchExecuteStatement: {
        fields: [...fields, "Sqls", "Parameters"],
        resource,
        needs,
        run: (input, { principal }) => this.submit(principal, input, input.texts("Sqls") ?? [], true),
      },
      DescribeStatement: {
        fields: ["Id"],
        resource: () => "*",
        run: (input, { principal }) => describe(ofStatement(input, principal)),
      },
      GetStatementResult: {
        fields: ["Id", "NextToken"],
        resource: () => "*",
        run: (input, { principal }) => this.result(input, ofStatement(input, principal)),
      },
      CancelStatement: {
        fields: ["Id"],
        resource: () => "*",
        run: async (input, { principal }) => ({ Status: await this.statements.cancel(ofStatement(input, principal)) }),
      },
    };
  }

  private submit(principal: Principal, input: Input, sqls: readonly string[], isBatch: boolean): object {
    const workgroup = this.workgroupOf(input);
    if (sqls.length < 1 || sqls.length > MAX_STATEMENTS)
      throw invalid(`Sqls takes 1 to ${MAX_STATEMENTS} statements, got ${sqls.length}.`);
    for (const sql of sqls) {
      const bytes = Buffer.byteLength(sql);
      if (bytes === 0 || bytes > MAX_STATEMENT_BYTES)
        throw invalid(`A statement takes 1 to ${MAX_STATEMENT_BYTES} bytes, got ${bytes}.`);
    }
    const secretArn = input.text("SecretArn");
    const database = this.databaseOf(input);
    const statement = this.statements.submit({
      token: input.text("ClientToken"),
      owner: principal.arn,
      isBatch,
      workgroupName: workgroup.name,
      database,
      parameters: parametersOf(input),
      sqls,
      session: { database, user: this.userOf(principal, secretArn, workgroup) },
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

  private workgroupOf(input: Input): Workgroup {
    const name = input.needText("WorkgroupName");
    const workgroup = this.options.redshift.workgroups.get(name);
    if (workgroup === undefined) {
      const known = [...this.options.redshift.workgroups.keys()].join(", ");
      throw invalid(`Redshift endpoint doesn't exist in this region: workgroup ${name}. There is: ${known || "none"}.`);
    }
    return workgroup;
  }

  private databaseOf(input: Input): string {
    const database = input.needText("Database");
    if (!this.options.warehouse.hasDatabase(database)) throw invalid(`FATAL: database "${database}" does not exist.`);
    return database;
  }

  private result(input: Input, statement: Statement): object {
    const id = input.needText("Id");
    const part = partOf(statement, id);
    if (part.result === undefined || statement.status !== "FINISHED" || !part.result.hasResultSet) {
      throw new AwsError(
        "ResourceNotFoundException",
        `Query does not have result. Please check query status with DescribeStatement: ${id} is ${statement.status}.`,
      );
    }
    const { columns, rows } = part.result;
    const { items, nextToken } = page(rows, input.text("NextToken"), PAGE_ROWS, "ValidationException");
    return {
      ColumnMetadata: columns.map(({ name, typeName, length }) => ({ name, label: name, typeName, length })),
      Records: items.map((row) => row.map((field, index) => fieldOf(field, columns[index]?.kind))),
      TotalNumRows: rows.length,
      NextToken: nextToken,
    };
  }
}

function parametersOf(input: Input): Readonly<Record<string, string>> | undefined {
  const entries = (input.children("Parameters", ["name", "value"]) ?? []).map((parameter): [string, string] => [
    parameter.needText("name"),
    parameter.needText("value"),
  ]);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

function invalid(message: string): AwsError {
  return new AwsError("ValidationException", message);
}
