/** Local bodies of Redshift Serverless: a namespace is a database of the local PostgreSQL, a workgroup a name to reach it by. */
import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { AwsError, type GraphResource, type ResourceBody } from "../contracts";
import { checkedName } from "../engine/names";
import type { Warehouse } from "../warehouse/warehouse";
import { secretArn } from "./secretsmanager";

export interface Workgroup {
  readonly name: string;
  readonly arn: string;
  readonly namespaceName: string;
}

export interface Namespace {
  readonly name: string;
  readonly databaseName: string;
  readonly adminSecretArn: string | undefined;
}

/** What the program created. */
export class RedshiftServerless {
  readonly namespaces = new Map<string, Namespace>();
  readonly workgroups = new Map<string, Workgroup>();

  /**
   * @param saveAdminSecret keeps the admin user's credentials where Secrets Manager answers for them
   * @param removeAdminSecret removes them at once: the secret is the namespace's own
   */
  constructor(
    readonly warehouse: Warehouse,
    private readonly saveAdminSecret?: (secretArn: string, credentials: AdminCredentials) => void,
    private readonly removeAdminSecret?: (secretArn: string) => void,
  ) {}

  /** @throws AwsError ConflictException when there is one of this name */
  async createNamespace(resource: GraphResource): Promise<void> {
    const name = String(resource.state.namespaceName);
    if (this.namespaces.has(name)) throw new AwsError("ConflictException", `Namespace ${name} already exists.`);
    await this.putNamespace(resource);
  }

  private async putNamespace({ inputs, state }: GraphResource): Promise<void> {
    const name = String(state.namespaceName);
    const databaseName = String(inputs.dbName ?? DEFAULT_DATABASE);
    const adminSecretArn = typeof state.adminPasswordSecretArn === "string" ? state.adminPasswordSecretArn : undefined;
    await this.warehouse.ensureDatabase(databaseName);
    this.warehouse.associateRoles(rolesOf({ inputs }));
    this.namespaces.set(name, { name, databaseName, adminSecretArn });
    if (adminSecretArn === undefined) return;
    const url = new URL(this.warehouse.urlOf(databaseName));
    this.saveAdminSecret?.(adminSecretArn, { username: url.username, password: url.password });
  }

  async updateNamespace(resource: GraphResource, previous: GraphResource): Promise<void> {
    const kept = rolesOf(resource);
    this.warehouse.dissociateRoles(rolesOf(previous).filter((arn) => !kept.includes(arn)));
    const { adminPasswordSecretArn: before } = previous.state;
    if (typeof before === "string" && before !== resource.state.adminPasswordSecretArn) this.removeAdminSecret?.(before);
    await this.putNamespace(resource);
  }

  /** @throws AwsError ConflictException while it has workgroups. Its data go with it. */
  async deleteNamespace(resource: GraphResource): Promise<void> {
    const name = String(resource.state.namespaceName);
    const workgroups = [...this.workgroups.values()].filter(({ namespaceName }) => namespaceName === name);
    if (workgroups.length > 0)
      throw new AwsError(
        "ConflictException",
        `Namespace ${name} can't be deleted: delete its workgroup(s) ${workgroups.map((one) => one.name).join(", ")} first.`,
      );
    this.namespaces.delete(name);
    this.warehouse.dissociateRoles(rolesOf(resource));
    const database = String(resource.inputs.dbName ?? DEFAULT_DATABASE);
    if (![...this.namespaces.values()].some(({ databaseName }) => databaseName === database))
      await this.warehouse.dropDatabase(database);
    if (this.namespaces.size === 0) await this.warehouse.dropRoles();
    const { adminPasswordSecretArn } = resource.state;
    if (typeof adminPasswordSecretArn === "string") this.removeAdminSecret?.(adminPasswordSecretArn);
  }

  /** @throws AwsError ConflictException when there is one of this name */
  createWorkgroup({ inputs, state }: GraphResource): void {
    const namespaceName = String(inputs.namespaceName);
    const name = String(state.workgroupName);
    if (this.workgroups.has(name)) throw new AwsError("ConflictException", `Workgroup ${name} already exists.`);
    if (!this.namespaces.has(namespaceName)) {
      throw new Error(
        `The workgroup ${name} names the namespace ${namespaceName}, which does not exist. Create the namespace first.`,
      );
    }
    this.workgroups.set(name, { name, arn: String(state.arn), namespaceName });
  }

  /** @throws Error when no workgroup has the ARN */
  requireWorkgroup(arn: string): void {
    if ([...this.workgroups.values()].some((workgroup) => workgroup.arn === arn)) return;
    throw new Error(`A usage limit is for ${arn}, which is no workgroup of this stack. Name the ARN of one (resourceArn).`);
  }
}

const rolesOf = ({ inputs }: Pick<GraphResource, "inputs">): string[] =>
  Array.isArray(inputs.iamRoles) ? inputs.iamRoles.map(String) : [];

export interface AdminCredentials {
  readonly username: string;
  readonly password: string;
}

const DEFAULT_DATABASE = "dev";
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

/** Redshift names workgroups and namespaces by a UUID in their ARNs: the same one for the same name. */
export function serverlessArn(kind: "workgroup" | "namespace", name: string, region: string, accountId: string): string {
  return `arn:aws:redshift-serverless:${region}:${accountId}:${kind}/${uuidOf(kind, name)}`;
}

function uuidOf(kind: string, name: string): string {
  return createHash("sha256")
    .update(`${kind}:${name}`)
    .digest("hex")
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, "$1-$2-$3-$4-$5");
}

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
            namespaceId: uuidOf("namespace", namespaceName),
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
            workgroupId: uuidOf("workgroup", workgroupName),
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
        const id = uuidOf("usagelimit", name);
        return { id, state: { ...inputs, arn: `arn:aws:redshift-serverless:${region}:${accountId}:usagelimit/${id}` } };
      },
      create: (resource) => redshift.requireWorkgroup(String(resource.inputs.resourceArn)),
      delete: () => undefined,
    },
  ];
}
