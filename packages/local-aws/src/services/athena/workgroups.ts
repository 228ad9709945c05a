/** Workgroups and saved queries that the program created. */
import { AwsError, type GraphResource } from "../../contracts";
import { Fields } from "../../engine/fields";

export interface AthenaWorkgroup {
  readonly name: string;
  readonly arn: string;
  readonly isEnabled: boolean;
  /** Clients' own settings are ignored. */
  readonly isEnforced: boolean;
  /** `s3://bucket/prefix/` */
  readonly outputLocation: string | undefined;
  readonly kmsKeyArn: string | undefined;
  readonly scanLimitBytes: number | undefined;
  /** Whether it may be deleted with its history. */
  readonly forceDestroy: boolean;
}

export interface SavedQuery {
  readonly id: string;
  readonly name: string;
  readonly description: string | undefined;
  readonly database: string;
  readonly sql: string;
  readonly workgroup: string;
}

/** Athena API reference, WorkGroupConfiguration. */
const LEAST_LIMIT = 10_000_000;

export class Workgroups {
  private readonly byName = new Map<string, AthenaWorkgroup>();
  readonly queries = new Map<string, SavedQuery>();

  /** @param used whether queries ran in a workgroup */
  constructor(private readonly used: (workgroup: string) => boolean = () => false) {}

  put(workgroup: AthenaWorkgroup): void {
    this.byName.set(workgroup.name, workgroup);
  }

  /** @throws AwsError InvalidRequestException when it holds queries and may not be emptied */
  delete(name: string): void {
    const forceDestroy = this.byName.get(name)?.forceDestroy ?? true;
    const saved = [...this.queries.values()].filter(({ workgroup }) => workgroup === name);
    if (!forceDestroy && (saved.length > 0 || this.used(name)))
      throw new AwsError(
        "InvalidRequestException",
        `WorkGroup ${name} is not empty. Set forceDestroy to delete it with its queries.`,
      );
    for (const { id } of saved) this.queries.delete(id);
    this.byName.delete(name);
  }

  find(name: string): AthenaWorkgroup | undefined {
    return this.byName.get(name);
  }

  /** @throws AwsError InvalidRequestException */
  get(name: string): AthenaWorkgroup {
    const found = this.byName.get(name);
    if (found !== undefined) return found;
    const known = [...this.byName.keys()].join(", ") || "none";
    throw new AwsError("InvalidRequestException", `WorkGroup ${name} is not found. There is: ${known}.`);
  }

  /** @throws AwsError InvalidRequestException */
  query(id: string): SavedQuery {
    const found = this.queries.get(id);
    if (found === undefined) throw new AwsError("InvalidRequestException", `NamedQuery ${id} was not found.`);
    return found;
  }
}

/** @throws Error naming the field that the service would refuse, or that has no effect here */
export function workgroupOf({ type, inputs, state }: GraphResource): AthenaWorkgroup {
  const name = String(state.name);
  const fields = new Fields(inputs, `${type} (${name})`);
  const configuration = fields.in("configuration");
  const limit = configuration.number("bytesScannedCutoffPerQuery");
  if (limit !== undefined && limit < LEAST_LIMIT)
    throw new Error(`${name}: configuration.bytesScannedCutoffPerQuery is ${limit}; Athena takes ${LEAST_LIMIT} and more.`);
  const results = configuration.in("resultConfiguration");
  return {
    name,
    arn: String(state.arn),
    isEnabled: (fields.text("state") ?? "ENABLED") === "ENABLED",
    isEnforced: configuration.flag("enforceWorkgroupConfiguration") ?? true,
    outputLocation: results.text("outputLocation"),
    kmsKeyArn: results.in("encryptionConfiguration").text("kmsKeyArn"),
    scanLimitBytes: limit,
    forceDestroy: fields.flag("forceDestroy") ?? false,
  };
}
