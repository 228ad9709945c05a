/**
 * Lambda `warehouse-migrator`: brings the warehouse's schema up to the migrations in this archive.
 * Event: anything (`{}`). Returns: {@link MigrationSummary}.
 *
 * IAM actions of its role:
 *   redshift-data:ExecuteStatement, redshift-data:BatchExecuteStatement  on the workgroup
 *   redshift-data:DescribeStatement, redshift-data:GetStatementResult, redshift-data:CancelStatement  on *
 *   secretsmanager:GetSecretValue (and kms:Decrypt on its key)  on SECRET_ARN: migrations run as the admin user
 *   redshift-serverless:GetCredentials                       on the workgroup, if SECRET_ARN is not set
 */
import { randomUUID } from "node:crypto";
import tables from "../../sql/migrations/0001_tables.sql";
import views from "../../sql/migrations/0002_views.sql";
import roles from "../../sql/migrations/0003_roles.sql";
import models from "../../sql/migrations/0004_models.sql";
import feedback from "../../sql/migrations/0005_feedback.sql";
import batchScores from "../../sql/migrations/0006_batch_scores.sql";
import quarantinePointer from "../../sql/migrations/0007_quarantine_pointer.sql";
import decisionGenerations from "../../sql/migrations/0008_decision_generations.sql";
import { createDataApi } from "../loader/data-api";
import { createSqlClient } from "../loader/sql-client";
import { createMigrator, type MigrationSummary } from "../migrator/handler";
import { createRedshiftData } from "../shared/clients";
import { EnvReader } from "../shared/env";
import { createLog } from "../shared/log";

const FUNCTION_NAME = "warehouse-migrator";
/** Time kept for returning the result after the last statement. */
const CLOSING_MILLISECONDS = 2_000;

const env = new EnvReader(FUNCTION_NAME, process.env);
const workgroupName = env.text("WORKGROUP_NAME");
const database = env.text("DATABASE_NAME");
const secretArn = env.optional("SECRET_ARN", "");
env.done();

const clock = {
  now: () => Date.now(),
  sleep: (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds)),
};

const migrate = createMigrator({
  migrations: [
    { name: "0001_tables", sql: tables },
    { name: "0002_views", sql: views },
    { name: "0003_roles", sql: roles },
    { name: "0004_models", sql: models },
    { name: "0005_feedback", sql: feedback },
    { name: "0006_batch_scores", sql: batchScores },
    { name: "0007_quarantine_pointer", sql: quarantinePointer },
    { name: "0008_decision_generations", sql: decisionGenerations },
  ],
  sql: createSqlClient(
    createDataApi(createRedshiftData(), { workgroupName, database, secretArn: secretArn === "" ? undefined : secretArn }),
    clock,
  ),
  log: createLog(env.optional("LOG_LEVEL", "info"), { function: FUNCTION_NAME }),
  newId: randomUUID,
});

export async function handler(_event: unknown, context: { getRemainingTimeInMillis(): number }): Promise<MigrationSummary> {
  return migrate(Date.now() + context.getRemainingTimeInMillis() - CLOSING_MILLISECONDS);
}
