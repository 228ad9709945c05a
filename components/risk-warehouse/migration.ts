/** The function that applies the numbered SQL migrations; a deployment with a new migration runs it. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Invocation } from "@pulumi/aws/lambda";
import type { Namespace, Workgroup } from "@pulumi/aws/redshiftserverless";
import type * as pulumi from "@pulumi/pulumi";
import { PlatformFunction } from "../shared/function";
import { warehouseName } from "./database";
import type { WarehouseSettings } from "./settings";
import { runStatements } from "./sql-access";

/** Lambda's own limit; migrating a large table may take most of it. */
const MAX_TIMEOUT_SECONDS = 900;
/** The program runs in the project's root. */
const MIGRATIONS = join("sql", "migrations");

export function createMigrator(
  instance: string,
  { context, database }: WarehouseSettings,
  { adminPasswordSecretArn }: Namespace,
  workgroup: Workgroup,
  workgroupName: pulumi.Output<string>,
  parent: pulumi.Resource,
): PlatformFunction {
  return new PlatformFunction(
    `${instance}-migrator`,
    {
      ...context,
      description: "Applies the numbered SQL migrations to the warehouse",
      entry: "warehouse-migrator",
      callbackFactory: () => require("./bundles/warehouse-migrator/index.js").handler,
      memoryMb: 256,
      timeoutSeconds: MAX_TIMEOUT_SECONDS,
      reservedConcurrency: 1,
      environment: {
        WORKGROUP_NAME: workgroupName,
        DATABASE_NAME: database.name,
        SECRET_ARN: adminPasswordSecretArn,
        LOG_LEVEL: "info",
      },
      permissions: [
        ...runStatements(workgroup.arn),
        { sid: "AdminPassword", actions: ["secretsmanager:GetSecretValue"], resources: [adminPasswordSecretArn] },
        context.key.decryptStatement(),
      ],
    },
    { parent },
  );
}

export function migrate(
  instance: string,
  { context, database }: WarehouseSettings,
  migrator: PlatformFunction,
  parent: pulumi.Resource,
): Invocation {
  return new Invocation(
    `${instance}-migration`,
    {
      functionName: migrator.functionName,
      input: "{}",
      // A new database has no tables yet.
      triggers: { migrations: migrationsHash(), database: `${warehouseName(instance, context.naming)}/${database.name}` },
    },
    { parent, dependsOn: [migrator.policy] },
  );
}

/** Changes when a migration is added, removed, renamed or edited. */
function migrationsHash(): string {
  const hash = createHash("sha256");
  for (const file of readdirSync(MIGRATIONS).sort())
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(MIGRATIONS, file)))
      .update("\0");
  return hash.digest("hex").slice(0, 16);
}
