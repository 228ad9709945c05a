/** Local bodies of Redshift Serverless: a namespace is a database of the local PostgreSQL, a workgroup a name to reach it by. */
import { createHash } from "node:crypto";
import type { GraphResource, ResourceBody } from "../contracts";
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
   */
  constructor(
    readonly warehouse: Warehouse,
    private readonly saveAdminSecret?: (secretArn: string, credentials: AdminCredentials) => void,
  ) {}

  async createNamespace({ inputs, state }: GraphResource): Promise<void> {
    const name = String(state.namespaceName);
    const databaseName = String(inputs.dbName ?? DEFAULT_DATABASE);
    const adminSecretArn = typeof state.adminPasswordSecretArn === "string" ? state.adminPasswordSecretArn : undefined;
    await this.warehouse.ensureDatabase(databaseName);
    this.warehouse.associateRoles(Array.isArray(inputs.iamRoles) ? inputs.iamRoles.map(String) : []);
    this.namespaces.set(name, { name, databaseName, adminSecretArn });
    if (adminSecretArn === undefined) return;
    const url = new URL(this.warehouse.urlOf(databaseName));
    this.saveAdminSecret?.(adminSecretArn, { username: url.username, password: url.password });
  }

  createWorkgroup({ inputs, state }: GraphResource): void {
    const namespaceName = String(inputs.namespaceName);
    const name = String(state.workgroupName);
    if (!this.namespaces.has(namespaceName)) {
      throw new Error(
        `The workgroup ${name} names the namespace ${namespaceName}, which does not exist. Create the namespace first.`,
      );
    }
    this.workgroups.set(name, { name, arn: String(state.arn), namespaceName });
  }
}

export interface AdminCredentials {
  readonly username: string;
  readonly password: string;
}

const DEFAULT_DATABASE = "dev";
const NETWORK = "The local warehouse listens on loopback alone.";

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
            workgroupName,
            arn: serverlessArn("workgroup", workgroupName, region, accountId),
            workgroupId: uuidOf("workgroup", workgroupName),
            port,
            endpoints: [{ address, port, vpcEndpoints: [] }],
          },
        };
      },
      create: (resource) => redshift.createWorkgroup(resource),
    },
  ];
}
