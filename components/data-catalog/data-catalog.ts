/** Tables over archive, quarantine, labels and batch scoring in the Glue Data Catalog, and an Athena workgroup that queries them within a limit. */
import { NamedQuery, Workgroup, type WorkgroupArgs } from "@pulumi/aws/athena";
import { CatalogDatabase, CatalogTable } from "@pulumi/aws/glue";
import type { Role, RolePolicy } from "@pulumi/aws/iam";
import * as pulumi from "@pulumi/pulumi";
import { PrivateBucket } from "../shared/bucket";
import { grant } from "../shared/iam";
import { withTransform } from "../shared/transform";
import { analystRole, type QueryAccess, queryStatements } from "./access";
import type { DataCatalogArgs } from "./args";
import { savedQueries } from "./queries";
import { type CatalogSettings, catalogSettings } from "./settings";
import { tableArgs } from "./tables";

/** What keys of results begin with. */
const RESULTS = "results/";

export class DataCatalog extends pulumi.ComponentResource {
  readonly databaseName: pulumi.Output<string>;
  readonly workgroupName: pulumi.Output<string>;
  /** Reads the tables and nothing else. */
  readonly analystRoleArn: pulumi.Output<string>;
  readonly nodes: {
    readonly database: CatalogDatabase;
    readonly tables: readonly CatalogTable[];
    readonly workgroup: Workgroup;
    readonly results: PrivateBucket;
    readonly queries: readonly NamedQuery[];
    readonly analystRole: Role;
  };
  private readonly access: QueryAccess;

  constructor(
    private readonly instance: string,
    args: DataCatalogArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("risk:analytics:DataCatalog", instance, {}, opts);
    const settings = catalogSettings(instance, args, this);
    const database = this.createDatabase(settings);
    const tables = settings.tables.map((spec) => this.createTable(database, spec));
    const results = this.createResults(settings);
    const workgroup = this.createWorkgroup(settings, results);
    const queries = this.createQueries(settings, database, workgroup);
    this.access = {
      workgroupArn: workgroup.arn,
      databaseName: database.name,
      tables: settings.tables,
      results,
      resultPrefix: RESULTS,
    };
    const role = analystRole(instance, this);
    this.grantQuery(`${instance}-analyst`, role);

    this.databaseName = database.name;
    this.workgroupName = workgroup.name;
    this.analystRoleArn = role.arn;
    this.nodes = { database, tables, workgroup, results, queries, analystRole: role };
    this.registerOutputs({
      databaseName: this.databaseName,
      workgroupName: this.workgroupName,
      analystRoleArn: this.analystRoleArn,
    });
  }

  /** Lets a role query the tables in the workgroup. @param name logical name of the IAM policy, unique in the stack */
  grantQuery(name: string, role: Role): RolePolicy {
    return grant(name, role, queryStatements(this.access, this), { parent: this });
  }

  private createDatabase({ databaseName, context }: CatalogSettings): CatalogDatabase {
    return new CatalogDatabase(
      `${this.instance}-database`,
      { name: databaseName, description: `Files of the risk platform, ${context.naming.environment}` },
      { parent: this },
    );
  }

  private createTable(database: CatalogDatabase, spec: CatalogSettings["tables"][number]): CatalogTable {
    const name = `${this.instance}-${spec.name.replaceAll("_", "-")}`;
    return new CatalogTable(name, { ...tableArgs(spec), databaseName: database.name }, { parent: this });
  }

  /** A bucket of its own: who may write results can't write into the data. */
  private createResults({ context, resultDays }: CatalogSettings): PrivateBucket {
    return new PrivateBucket(
      `${this.instance}-results`,
      {
        encryption: context.key,
        deletionProtection: context.deletionProtection,
        accessLogBucket: context.accessLogBucket,
        lifecycleRules: [{ id: "results", status: "Enabled", filter: { prefix: RESULTS }, expiration: { days: resultDays } }],
      },
      { parent: this },
    );
  }

  private createWorkgroup(settings: CatalogSettings, results: PrivateBucket): Workgroup {
    const { context, workgroupName, scanLimitBytes } = settings;
    return new Workgroup(
      `${this.instance}-workgroup`,
      withTransform<WorkgroupArgs, Partial<WorkgroupArgs>>(
        {
          name: workgroupName,
          description: "Queries of the risk platform's files; each is cancelled at the limit",
          // Its history of queries is no data: without this, a workgroup that was used can't be deleted.
          forceDestroy: true,
        },
        settings.transform.workgroup,
        {
          configuration: {
            enforceWorkgroupConfiguration: true,
            publishCloudwatchMetricsEnabled: true,
            bytesScannedCutoffPerQuery: scanLimitBytes,
            requesterPaysEnabled: false,
            // The first engine that reads text compressed with Zstandard.
            engineVersion: { selectedEngineVersion: "Athena engine version 3" },
            resultConfiguration: {
              outputLocation: pulumi.interpolate`s3://${results.bucketName}/${RESULTS}`,
              encryptionConfiguration: { encryptionOption: "SSE_KMS", kmsKeyArn: context.key.arn },
            },
          },
        },
      ),
      { parent: this },
    );
  }

  private createQueries({ tables }: CatalogSettings, database: CatalogDatabase, workgroup: Workgroup): NamedQuery[] {
    return savedQueries(tables.map(({ name }) => name)).map(
      ({ name, description, sql }) =>
        new NamedQuery(
          `${this.instance}-${name}`,
          { name, description, query: sql, database: database.name, workgroup: workgroup.name },
          { parent: this },
        ),
    );
  }
}
