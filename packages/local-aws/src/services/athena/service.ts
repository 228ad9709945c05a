/**
 * Athena on one machine. A query reads catalog, objects and key with the rights of its sender, is cancelled at its workgroup's limit before anything
 * is read, and leaves its result in the workgroup's location. https://docs.aws.amazon.com/athena/latest/APIReference/
 */
import { tablesOf } from "@risk/local-warehouse";
import { AwsError, type AwsService, type LocalContext, type Permission, type Principal } from "../../contracts";
import { s3Location } from "../jobs/role-s3";
import type { Input } from "../messaging/input";
import { type Operation, page, serviceOf } from "../messaging/operations";
import { type Execution, Executions } from "./executions";
import type { AthenaPorts } from "./ports";
import { runQuery } from "./query";
import { describeExecution, metadataOf, rowOf } from "./results";
import { type AthenaWorkgroup, Workgroups } from "./workgroups";

/** Athena user guide, "Service quotas". */
const MAX_QUERY_BYTES = 262_144;
/** Athena API reference, GetQueryResults: MaxResults. */
const PAGE_ROWS = 1000;
const PRIMARY = "primary";

export class AthenaService implements AwsService {
  readonly name = "athena";
  readonly permissions: AwsService["permissions"];
  readonly handle: AwsService["handle"];
  readonly executions: Executions;
  readonly workgroups: Workgroups;

  constructor(
    private readonly context: Pick<LocalContext, "region" | "accountId" | "clock">,
    private readonly ports: AthenaPorts,
  ) {
    this.executions = new Executions(() => context.clock.now());
    this.workgroups = new Workgroups((name) => this.executions.ranIn(name));
    const service = serviceOf({
      name: this.name,
      iamPrefix: "athena",
      validationCode: "InvalidRequestException",
      jsonVersion: "1.1",
      operations: this.operations(),
    });
    this.permissions = service.permissions;
    this.handle = service.handle;
  }

  private operations(): Record<string, Operation> {
    const onExecution = (fields: readonly string[], run: (execution: Execution, input: Input) => object): Operation => ({
      fields: ["QueryExecutionId", ...fields],
      resource: (input) => {
        const execution = this.executions.find(input.needText("QueryExecutionId"));
        return execution === undefined ? "*" : this.arnOf(execution.workgroup);
      },
      run: (input) => run(this.executions.get(input.needText("QueryExecutionId")), input),
    });
    return {
      StartQueryExecution: {
        fields: ["QueryString", "QueryExecutionContext", "WorkGroup", "ResultConfiguration", "ClientRequestToken"],
        resource: (input) => this.arnOf(input.text("WorkGroup") ?? PRIMARY),
        run: (input, { principal }) => ({ QueryExecutionId: this.start(input, principal).id }),
      },
      GetQueryExecution: onExecution([], (execution) => ({
        QueryExecution: describeExecution(execution, this.context.clock.now()),
      })),
      StopQueryExecution: onExecution([], (execution) => {
        this.executions.stop(execution);
        return {};
      }),
      GetQueryResults: {
        ...onExecution(["NextToken", "MaxResults"], (execution, input) => this.results(execution, input)),
        needs: (input) => this.resultPermissions(input.needText("QueryExecutionId")),
      },
      GetNamedQuery: {
        fields: ["NamedQueryId"],
        resource: (input) => {
          const query = this.workgroups.queries.get(input.needText("NamedQueryId"));
          return query === undefined ? "*" : this.arnOf(query.workgroup);
        },
        run: (input) => {
          const { id, name, description, database, sql, workgroup } = this.workgroups.query(input.needText("NamedQueryId"));
          const described = description === undefined ? {} : { Description: description };
          return {
            NamedQuery: {
              NamedQueryId: id,
              Name: name,
              ...described,
              Database: database,
              QueryString: sql,
              WorkGroup: workgroup,
            },
          };
        },
      },
      ListNamedQueries: {
        fields: ["WorkGroup", "NextToken", "MaxResults"],
        resource: (input) => this.arnOf(input.text("WorkGroup") ?? PRIMARY),
        run: (input) => {
          const { name } = this.workgroups.get(input.text("WorkGroup") ?? PRIMARY);
          const ids = [...this.workgroups.queries.values()].filter(({ workgroup }) => workgroup === name).map(({ id }) => id);
          const limit = input.integer("MaxResults", 0, 50) ?? 50;
          const { items, nextToken } = page(ids, input.text("NextToken"), limit, "InvalidRequestException");
          return { NamedQueryIds: items, NextToken: nextToken };
        },
      },
    };
  }

  private start(input: Input, principal: Principal): Execution {
    const sql = input.needText("QueryString");
    const bytes = Buffer.byteLength(sql);
    if (bytes === 0 || bytes > MAX_QUERY_BYTES)
      throw input.error(`QueryString takes 1 to ${MAX_QUERY_BYTES} bytes, got ${bytes}`);
    const workgroup = this.workgroups.get(input.text("WorkGroup") ?? PRIMARY);
    if (!workgroup.isEnabled) throw input.error(`WorkGroup ${workgroup.name} is disabled`);
    const database = input.child("QueryExecutionContext", ["Database", "Catalog"])?.text("Database");
    const location = outputLocation(workgroup, input);
    return this.executions.start(
      {
        token: input.needText("ClientRequestToken"),
        sql,
        workgroup: workgroup.name,
        database,
        outputOf: (id) => `${location}${location.endsWith("/") ? "" : "/"}${id}.csv`,
      },
      async (execution) => {
        const tables = tablesOf(sql);
        const authorize = (permission: Permission) => this.authorize(principal, permission);
        return runQuery({ execution, tables, workgroup, authorize, context: this.context, ports: this.ports });
      },
    );
  }

  private results(execution: Execution, input: Input): object {
    const { result, state, id } = execution;
    if (result === undefined)
      throw new AwsError("InvalidRequestException", `Query has not yet finished or has no result: ${id} is ${state}.`);
    const rows = [result.columns.map(({ name }) => name), ...result.rows];
    const limit = input.integer("MaxResults", 1, PAGE_ROWS) ?? PAGE_ROWS;
    const { items, nextToken } = page(rows, input.text("NextToken"), limit, "InvalidRequestException");
    return { UpdateCount: 0, ResultSet: { Rows: items.map(rowOf), ResultSetMetadata: metadataOf(result) }, NextToken: nextToken };
  }

  /** Athena reads the result's object with the caller's rights. */
  private resultPermissions(id: string): Permission[] {
    const execution = this.executions.find(id);
    if (execution === undefined) return [];
    const { bucket, key } = s3Location(execution.outputLocation, "OutputLocation");
    const resource = `arn:aws:s3:::${bucket}/${key}`;
    return [{ action: "s3:GetObject", resource }, ...this.ports.s3.keyUse("GetObject", resource)];
  }

  private authorize(principal: Principal, permission: Permission): void {
    const decision = this.ports.iam.authorize(principal, permission);
    if (!decision.allowed) throw new AwsError("AccessDeniedException", decision.reason, 403);
  }

  private arnOf(workgroup: string): string {
    return `arn:aws:athena:${this.context.region}:${this.context.accountId}:workgroup/${workgroup}`;
  }
}

/** A workgroup that is enforced ignores what the client says. */
function outputLocation(workgroup: AthenaWorkgroup, input: Input): string {
  const own = input.child("ResultConfiguration", ["OutputLocation"])?.text("OutputLocation");
  const location = workgroup.isEnforced ? workgroup.outputLocation : (own ?? workgroup.outputLocation);
  if (location === undefined)
    throw input.error(
      "No output location provided. An output location is required either through the Workgroup result configuration setting or as an API input",
    );
  return location;
}
