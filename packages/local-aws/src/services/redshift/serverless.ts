import type { Warehouse } from "@risk/local-warehouse";
import { AwsError, type GraphResource } from "../../contracts";

/** Redshift Serverless API reference, CreateNamespace. */
export const DEFAULT_DATABASE = "dev";

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
   * @param saveAdminSecret stores the admin user's credentials in Secrets Manager
   * @param removeAdminSecret removes them at once: the secret is the namespace's own
   */
  constructor(
    private readonly warehouse: Pick<
      Warehouse,
      "ensureDatabase" | "dropDatabase" | "dropRoles" | "associateRoles" | "dissociateRoles" | "urlOf"
    >,
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

interface AdminCredentials {
  readonly username: string;
  readonly password: string;
}
