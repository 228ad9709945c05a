/** Local bodies of Redshift Serverless: a namespace is a database of the local PostgreSQL, a workgroup a name to reach it by. */
import { isDeepStrictEqual } from "node:util";
import type { GraphResource, ResourceBody } from "../../contracts";
import { checkedName } from "../../engine/names";
import { secretArn } from "../secretsmanager";
import { serverlessArn, serverlessId } from "./arn";
import { DEFAULT_DATABASE, type RedshiftServerless } from "./serverless";

const NETWORK = "The local warehouse listens on loopback alone.";
const USAGE = "Queries on one machine cost nothing.";

/** Of a workgroup for which none were set, in us-east-1 in July 2026. AWS adds to them over time. */
const DEFAULT_PARAMETERS: Readonly<Record<string, string>> = {
  auto_mv: "true",
  datestyle: "ISO, MDY",
  enable_case_sensitive_identifier: "false",
  enable_user_activity_logging: "true",
  max_query_execution_time: "14400",
  query_group: "default",
  require_ssl: "true",
  search_path: "$user, public",
  use_fips_ssl: "false",
};

/** AWS returns every parameter, whichever were set. */
function allParameters({ configParameters }: Readonly<Record<string, unknown>>): object[] {
  const set = Array.isArray(configParameters) ? configParameters : [];
  const values = {
    ...DEFAULT_PARAMETERS,
    ...Object.fromEntries(set.map(({ parameterKey, parameterValue }) => [String(parameterKey), String(parameterValue)])),
  };
  return Object.entries(values)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([parameterKey, parameterValue]) => ({ parameterKey, parameterValue }));
}

/** Redshift Serverless API reference: CreateNamespace, CreateWorkgroup. */
const serverlessName = {
  maxLength: 64,
  characters: { pattern: /^[a-z0-9-]{3,}$/, words: "at least three lower-case letters, digits or hyphens" },
};

export function redshiftBodies(redshift: RedshiftServerless): ResourceBody[] {
  return [
    {
      type: "aws:redshiftserverless/namespace:Namespace",
      honoured: ["namespaceName", "dbName", "manageAdminPassword", "iamRoles"],
      cloudOnly: {
        adminUsername: "PostgreSQL's administrator has a name of its own; sessions with the admin secret are that user.",
        adminPasswordSecretKmsKeyId: "Nothing is encrypted with KMS at rest on one machine.",
        kmsKeyId: "Nothing is encrypted with KMS at rest on one machine.",
        defaultIamRoleArn: "COPY names its role.",
        logExports: "PostgreSQL's log is no CloudWatch log.",
        tags: "Tags have no effect here.",
      },
      replaceOn: ["namespaceName", "dbName"],
      outputs({ name, inputs, region, accountId }) {
        const namespaceName = checkedName({ field: "namespaceName", ...serverlessName }, String(inputs.namespaceName ?? name));
        const admin = String(inputs.adminUsername ?? "admin");
        return {
          id: namespaceName,
          state: {
            ...inputs,
            namespaceName,
            dbName: inputs.dbName ?? DEFAULT_DATABASE,
            adminUsername: admin,
            arn: serverlessArn("namespace", namespaceName, region, accountId),
            namespaceId: serverlessId("namespace", namespaceName),
            ...(inputs.manageAdminPassword === true
              ? { adminPasswordSecretArn: secretArn(region, accountId, `redshift!${namespaceName}-${admin}`) }
              : {}),
          },
        };
      },
      create: (resource) => redshift.createNamespace(resource),
      update: (resource, previous) => redshift.updateNamespace(resource, previous),
      delete: (resource) => redshift.deleteNamespace(resource),
    },
    {
      type: "aws:redshiftserverless/workgroup:Workgroup",
      honoured: ["workgroupName", "namespaceName"],
      cloudOnly: {
        baseCapacity: "One machine has one capacity.",
        maxCapacity: "One machine has one capacity.",
        enhancedVpcRouting: NETWORK,
        publiclyAccessible: NETWORK,
        subnetIds: NETWORK,
        securityGroupIds: NETWORK,
        port: "The port is chosen at start: see warehouseUrl.",
        configParameters: "TLS and audit settings are Redshift's own; loopback has neither.",
        tags: "Tags have no effect here.",
      },
      replaceOn: ["namespaceName", "workgroupName"],
      outputs({ name, inputs, region, accountId }) {
        const workgroupName = checkedName({ field: "workgroupName", ...serverlessName }, String(inputs.workgroupName ?? name));
        const port = Number(inputs.port ?? 5439);
        const address = `${workgroupName}.${accountId}.${region}.redshift-serverless.amazonaws.com`;
        return {
          id: workgroupName,
          state: {
            ...inputs,
            configParameters: allParameters(inputs),
            workgroupName,
            arn: serverlessArn("workgroup", workgroupName, region, accountId),
            workgroupId: serverlessId("workgroup", workgroupName),
            port,
            endpoints: [{ address, port, vpcEndpoints: [] }],
          },
        };
      },
      readBack: (inputs) => ({ configParameters: allParameters(inputs) }),
      create: (resource) => redshift.createWorkgroup(resource),
      delete: ({ state }) => void redshift.workgroups.delete(String(state.workgroupName)),
      update: ({ inputs }, previous) => {
        const effective = (given: GraphResource["inputs"]) => ({ ...given, configParameters: allParameters(given) });
        if (isDeepStrictEqual(effective(inputs), effective(previous.inputs)))
          throw new Error(
            "ValidationException: You didn't specify any changes. AWS returns more parameters than were set, and the difference " +
              'is no change: let the resource ignore changes of "configParameters".',
          );
      },
    },
    {
      type: "aws:redshiftserverless/usageLimit:UsageLimit",
      honoured: ["resourceArn"],
      cloudOnly: { usageType: USAGE, amount: USAGE, period: USAGE, breachAction: USAGE },
      replaceOn: ["resourceArn", "usageType", "period"],
      outputs({ name, inputs, region, accountId }) {
        const arn = serverlessArn("usagelimit", name, region, accountId);
        return { id: serverlessId("usagelimit", name), state: { ...inputs, arn } };
      },
      create: (resource) => redshift.requireWorkgroup(String(resource.inputs.resourceArn)),
      delete: () => undefined,
    },
  ];
}
