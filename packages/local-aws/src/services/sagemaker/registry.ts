/** The Model Registry: groups of numbered versions, and the event by which an approval starts what listens to it. */
import { AwsError } from "../../contracts";
import { Documents } from "../documents";
import type { JobPorts } from "../jobs/ports";
import type { Input } from "../messaging/input";
import { type Operation, page } from "../messaging/operations";
import { kept, type Member, oneOf, optional, optionalText, read, structure, structures, text, textMap, texts } from "./request";

interface Group {
  readonly name: string;
  /** Numbers are never used twice. */
  readonly lastVersion: number;
}

type Approval = "Approved" | "Rejected" | "PendingManualApproval";
const approval = oneOf<Approval>("Approved", "Rejected", "PendingManualApproval");

interface Package {
  /** `<group>/<version>`. */
  readonly name: string;
  readonly group: string;
  readonly version: number;
  readonly approval: Approval;
  readonly approvalDescription?: string;
  /** Members of the request that Describe returns. */
  readonly request: Readonly<Record<string, unknown>>;
  readonly clientToken?: string | undefined;
  readonly createdMs: number;
  readonly modifiedMs: number;
}

const MAX_PROPERTIES = 50;
const MAX_PROPERTY_CHARACTERS = 256;
/** Versions per page of ListModelPackages. */
const PAGE = 10;

const properties: Member<Readonly<Record<string, string>>> = (input, field) => {
  const given = textMap(input, field);
  const long = Object.entries(given).find(([, value]) => value.length > MAX_PROPERTY_CHARACTERS);
  if (long !== undefined)
    throw input.error(`${field}.${long[0]} must have at most ${MAX_PROPERTY_CHARACTERS} characters, got ${long[1].length}`);
  const count = Object.keys(given).length;
  if (count > MAX_PROPERTIES) throw input.error(`${field} must have at most ${MAX_PROPERTIES} members, got ${count}`);
  return given;
};

/** Members that Describe returns. */
const DESCRIBED = {
  ModelPackageDescription: optionalText,
  InferenceSpecification: structure({
    Containers: structures({ Image: text, ModelDataUrl: text, Environment: textMap }),
    SupportedContentTypes: texts,
    SupportedResponseMIMETypes: texts,
    SupportedTransformInstanceTypes: texts,
    SupportedRealtimeInferenceInstanceTypes: texts,
  }),
  ModelMetrics: optional(structure({ ModelQuality: structure({ Statistics: structure({ ContentType: text, S3Uri: text }) }) })),
  CustomerMetadataProperties: properties,
};
const VERSION = { ModelPackageGroupName: text, ModelApprovalStatus: approval, ClientToken: optionalText, ...DESCRIBED };

export class Registry {
  private readonly groups: Documents<Group>;
  private readonly packages: Documents<Package>;

  constructor(private readonly ports: JobPorts) {
    this.groups = new Documents(ports.context.db, "sagemaker_model_groups");
    this.packages = new Documents(ports.context.db, "sagemaker_model_packages");
  }

  groupArn(name: string): string {
    return this.arn("model-package-group", name);
  }

  packageArn(name: string): string {
    return this.arn("model-package", name);
  }

  /** Creates a group; one that is there keeps its versions. */
  putGroup(name: string): void {
    this.groups.put(name, this.groups.get(name) ?? { name, lastVersion: 0 });
  }

  /** @throws AwsError ConflictException while the group has versions, as on AWS */
  deleteGroup(name: string): void {
    const versions = this.versionsOf(name).length;
    if (versions > 0)
      throw new AwsError(
        "ConflictException",
        `Model package group ${this.groupArn(name)} cannot be deleted while it has versions, and it has ${versions}. Delete them first: npm run model -- clear`,
      );
    this.groups.delete(name);
  }

  /** In the order in which they were made. */
  groupNames(): string[] {
    return this.groups.entries().map(([name]) => name);
  }

  operations(): Record<string, Operation> {
    const groupArn = (input: Input) => this.groupArn(groupName(input.needText("ModelPackageGroupName")));
    const onPackage = (field: string, fields: readonly string[], run: (one: Package, input: Input) => object): Operation => ({
      fields: [field, ...fields],
      resource: (input) => this.packageArn(packageName(input, field)),
      run: (input) => run(this.package(packageName(input, field)), input),
    });
    return {
      CreateModelPackage: { fields: Object.keys(VERSION), resource: groupArn, run: (input) => this.createPackage(input) },
      DescribeModelPackage: onPackage("ModelPackageName", [], (one) => this.describePackage(one)),
      DeleteModelPackage: onPackage("ModelPackageName", [], (one) => {
        this.packages.delete(one.name);
        return {};
      }),
      UpdateModelPackage: onPackage("ModelPackageArn", ["ModelApprovalStatus", "ApprovalDescription"], (one, input) =>
        this.updatePackage(one, input),
      ),
      ListModelPackages: {
        fields: ["ModelPackageGroupName", "NextToken"],
        // The action has no resource of its own in IAM.
        resource: () => "*",
        run: (input) => this.listPackages(input),
      },
    };
  }

  private arn(kind: string, name: string): string {
    return `arn:aws:sagemaker:${this.ports.context.region}:${this.ports.context.accountId}:${kind}/${name}`;
  }

  private group(input: Input): Group {
    const name = groupName(input.needText("ModelPackageGroupName"));
    const group = this.groups.get(name);
    if (group === undefined)
      throw new AwsError("ValidationException", `ModelPackageGroup ${this.groupArn(name)} does not exist.`);
    return group;
  }

  private package(name: string): Package {
    const found = this.packages.get(name);
    if (found === undefined) throw new AwsError("ValidationException", `ModelPackage ${this.packageArn(name)} does not exist.`);
    return found;
  }

  private createPackage(input: Input): object {
    const group = this.group(input);
    const { ClientToken: clientToken, ModelApprovalStatus: status, ...request } = read(VERSION, input);
    if (request.InferenceSpecification.Containers.length === 0)
      throw input.error("InferenceSpecification.Containers must not be empty");
    const repeated = this.versionsOf(group.name).find((one) => clientToken !== undefined && one.clientToken === clientToken);
    if (repeated !== undefined) return { ModelPackageArn: this.packageArn(repeated.name) };
    const now = this.ports.context.clock.now();
    const version = group.lastVersion + 1;
    const made: Package = {
      name: `${group.name}/${version}`,
      group: group.name,
      version,
      approval: status ?? "PendingManualApproval",
      request: kept(DESCRIBED, input),
      clientToken,
      createdMs: now,
      modifiedMs: now,
    };
    this.groups.put(group.name, { ...group, lastVersion: version });
    return this.keep(made);
  }

  /** The same decision again is allowed, and published again. */
  private updatePackage(existing: Package, input: Input): object {
    const description = input.text("ApprovalDescription");
    return this.keep({
      ...existing,
      approval: approval(input, "ModelApprovalStatus") ?? existing.approval,
      ...(description === undefined ? {} : { approvalDescription: description }),
      modifiedMs: this.ports.context.clock.now(),
    });
  }

  private keep(one: Package): object {
    this.packages.put(one.name, one);
    this.publish(one);
    return { ModelPackageArn: this.packageArn(one.name) };
  }

  /** Oldest first. */
  private versionsOf(group: string): Package[] {
    return this.packages.all(`${group}/`);
  }

  private listPackages(input: Input): object {
    const { items, nextToken } = page(this.versionsOf(this.group(input).name), input.text("NextToken"), PAGE);
    return {
      ModelPackageSummaryList: items.map((one) => ({
        ...this.summaryOf(one),
        ModelPackageDescription: one.request.ModelPackageDescription,
      })),
      NextToken: nextToken,
    };
  }

  private summaryOf(one: Package): Record<string, unknown> {
    return {
      ModelPackageGroupName: one.group,
      ModelPackageVersion: one.version,
      ModelPackageArn: this.packageArn(one.name),
      CreationTime: new Date(one.createdMs),
      ModelPackageStatus: "Completed",
      ModelApprovalStatus: one.approval,
    };
  }

  private describePackage(one: Package): Record<string, unknown> {
    return {
      ...this.summaryOf(one),
      ...one.request,
      ModelPackageStatusDetails: { ValidationStatuses: [], ImageScanStatuses: [] },
      CertifyForMarketplace: false,
      ApprovalDescription: one.approvalDescription,
      LastModifiedTime: new Date(one.modifiedMs),
    };
  }

  /** https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html */
  private publish(one: Package): void {
    this.ports.publish({
      source: "aws.sagemaker",
      detailType: "SageMaker Model Package State Change",
      resources: [this.packageArn(one.name)],
      detail: {
        ...this.describePackage(one),
        CreationTime: isoSeconds(one.createdMs),
        LastModifiedTime: isoSeconds(one.modifiedMs),
      },
    });
  }
}

const isoSeconds = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");

/** A name, or the last part of an ARN. */
const groupName = (nameOrArn: string): string => nameOrArn.slice(nameOrArn.lastIndexOf("/") + 1);

/** `<group>/<version>` of an ARN. */
function packageName(input: Input, field: string): string {
  const value = input.needText(field);
  const match = /^(?:arn:aws[a-z-]*:sagemaker:[^:]*:\d{12}:model-package\/)?([^/]+\/\d+)$/.exec(value);
  if (match?.[1] === undefined)
    throw input.error(
      `${field} must be the ARN of a version, arn:aws:sagemaker:<region>:<account>:model-package/<group>/<version>, got '${value}'`,
    );
  return match[1];
}
