/** Namespace (the data), workgroup (the compute) and the role that Redshift reads the archive with. */
import { LogGroup } from "@pulumi/aws/cloudwatch";
import type { Role } from "@pulumi/aws/iam";
import { Namespace, type NamespaceArgs, Workgroup, type WorkgroupArgs } from "@pulumi/aws/redshiftserverless";
import * as pulumi from "@pulumi/pulumi";
import { currentAccount } from "../shared/account";
import { grant, serviceRole } from "../shared/iam";
import { MAX_LENGTH, type Naming, physicalName } from "../shared/naming";
import { withTransform } from "../shared/transform";
import type { WarehouseNetwork } from "./network";
import { WORKGROUP_PARAMETERS } from "./parameters";
import type { WarehouseSettings } from "./settings";
import { type ArchiveSources, LOADED_FOLDERS } from "./sources";

/** Name of namespace and workgroup, known before either exists. */
export function warehouseName(name: string, naming: Naming): string {
  return physicalName(name, naming, MAX_LENGTH.workgroup);
}

/** The role with which Redshift itself reads the archive. */
export function createCopyRole(
  instance: string,
  { context }: WarehouseSettings,
  { bucketArns, manifests }: ArchiveSources,
  parent: pulumi.Resource,
): Role {
  const role = serviceRole(
    `${instance}-copy-role`,
    { service: ["redshift-serverless.amazonaws.com", "redshift.amazonaws.com"], description: "COPY from the score archive" },
    { parent },
  );
  const objects = bucketArns.flatMap((arn) => LOADED_FOLDERS.map((folder) => pulumi.interpolate`${arn}/${folder}/*`));
  grant(
    `${instance}-copy-permissions`,
    role,
    [
      { sid: "ReadArchive", actions: ["s3:GetObject"], resources: [...objects, manifests] },
      { sid: "ListArchive", actions: ["s3:ListBucket", "s3:GetBucketLocation"], resources: bucketArns },
      context.key.decryptStatement(),
    ],
    { parent },
  );
  return role;
}

/** The role with which Redshift itself exchanges rows with the batch pipelines; undefined without a bucket for it. */
export function createExchangeRole(
  instance: string,
  { context, exchangeBucket }: WarehouseSettings,
  parent: pulumi.Resource,
): Role | undefined {
  if (exchangeBucket === undefined) return undefined;
  const role = serviceRole(
    `${instance}-exchange-role`,
    {
      service: ["redshift-serverless.amazonaws.com", "redshift.amazonaws.com"],
      description: "UNLOAD for batch pipelines, COPY of their scores",
    },
    { parent },
  );
  const bucket = pulumi.interpolate`arn:${currentAccount(parent).partition}:s3:::${exchangeBucket}`;
  grant(
    `${instance}-exchange-permissions`,
    role,
    [
      { sid: "WriteExtracts", actions: ["s3:PutObject"], resources: [pulumi.interpolate`${bucket}/temp/*`] },
      { sid: "ReadScores", actions: ["s3:GetObject"], resources: [pulumi.interpolate`${bucket}/inference/scores/*`] },
      { sid: "ListBucket", actions: ["s3:ListBucket", "s3:GetBucketLocation"], resources: [bucket] },
      context.key.useStatement(),
    ],
    { parent },
  );
  return role;
}

const LOGS = ["userlog", "connectionlog", "useractivitylog"] as const;

/**
 * Redshift writes to these groups if they exist; otherwise it makes groups of its own, which keep their events for ever under AWS's key.
 * https://docs.aws.amazon.com/redshift/latest/mgmt/serverless-audit-logging.html
 */
function createLogGroups(instance: string, { context }: WarehouseSettings, parent: pulumi.Resource): LogGroup[] {
  return LOGS.map(
    (log) =>
      new LogGroup(
        `${instance}-${log}`,
        {
          name: `/aws/redshift/${warehouseName(instance, context.naming)}/${log}`,
          retentionInDays: context.logRetentionDays,
          kmsKeyId: context.key.arn,
        },
        { parent },
      ),
  );
}

export function createNamespace(
  instance: string,
  settings: WarehouseSettings,
  copyRole: Role,
  exchangeRole: Role | undefined,
  parent: pulumi.Resource,
): Namespace {
  const { context, database, transform } = settings;
  const logGroups = createLogGroups(instance, settings, parent);
  return new Namespace(
    `${instance}-namespace`,
    withTransform<NamespaceArgs, Partial<NamespaceArgs>>(
      {
        namespaceName: warehouseName(instance, context.naming),
        dbName: database.name,
        adminUsername: database.adminUsername,
        iamRoles: [copyRole.arn, ...(exchangeRole ? [exchangeRole.arn] : [])],
        defaultIamRoleArn: copyRole.arn,
      },
      transform.namespace,
      {
        manageAdminPassword: true,
        adminPasswordSecretKmsKeyId: context.key.arn,
        kmsKeyId: context.key.arn,
        logExports: [...LOGS],
      },
    ),
    // Another database is another namespace with the same name, and Redshift allows each name once.
    { parent, protect: context.deletionProtection, deleteBeforeReplace: true, dependsOn: logGroups },
  );
}

export function createWorkgroup(
  instance: string,
  { context, capacity, transform }: WarehouseSettings,
  namespace: Namespace,
  { vpc, securityGroup }: WarehouseNetwork,
  parent: pulumi.Resource,
): Workgroup {
  return new Workgroup(
    `${instance}-workgroup`,
    withTransform<WorkgroupArgs, Partial<WorkgroupArgs>>(
      {
        workgroupName: warehouseName(instance, context.naming),
        namespaceName: namespace.namespaceName,
        baseCapacity: capacity.baseRpu,
        maxCapacity: capacity.maxRpu,
        subnetIds: vpc.isolatedSubnetIds,
        securityGroupIds: [securityGroup.id],
      },
      transform.workgroup,
      {
        namespaceName: namespace.namespaceName,
        enhancedVpcRouting: true,
        publiclyAccessible: false,
        configParameters: Object.entries(WORKGROUP_PARAMETERS).map(([parameterKey, parameterValue]) => ({
          parameterKey,
          parameterValue,
        })),
      },
    ),
    // For the parameters see checkParameters; a workgroup is replaced together with its namespace.
    { parent, ignoreChanges: ["configParameters"], deleteBeforeReplace: true },
  );
}
