/** The Model Registry: groups of numbered versions, and the event by which an approval starts what listens to it. */
import { AwsError } from "../../contracts";
import { Documents } from "../jobs/documents";
import type { JobPorts } from "../jobs/ports";
import type { Input } from "../messaging/input";
import type { Operation } from "../messaging/operations";
import { nameIn, oneOf } from "./checks";
import { LIST_FIELDS, listing } from "./listing";

interface Group {
  readonly name: string;
  readonly description?: string;
  /** Numbers are never used twice. */
  readonly lastVersion: number;
  readonly createdMs: number;
  readonly modifiedMs: number;
}

const APPROVALS = ["Approved", "Rejected", "PendingManualApproval"] as const;

interface Package {
  /** `<group>/<version>`. */
  readonly name: string;
  readonly group: string;
  readonly version: number;
  readonly approval: (typeof APPROVALS)[number];
  readonly approvalDescription?: string;
  readonly properties: Readonly<Record<string, string>>;
  /** Members of the request that Describe tells again. */
  readonly request: Readonly<Record<string, unknown>>;
  readonly clientToken?: string;
  readonly createdMs: number;
  readonly modifiedMs: number;
}

const PACKAGE_FIELDS = [
  "ModelPackageDescription",
  "InferenceSpecification",
  "ModelMetrics",
  "DriftCheckBaselines",
  "MetadataProperties",
  "Domain",
  "Task",
  "SamplePayloadUrl",
];
const CONTAINER_FIELDS = [
  "Image",
  "ImageDigest",
  "ModelDataUrl",
  "Environment",
  "ContainerHostname",
  "Framework",
  "FrameworkVersion",
  "NearestModelName",
];
const MAX_PROPERTIES = 50;
const MAX_PROPERTY_CHARACTERS = 256;

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

  /** Creates a group, or changes the description of one that is there: its versions stay. */
  putGroup(name: string, description: string | undefined): void {
    const now = this.ports.context.clock.now();
    const existing = this.groups.get(name) ?? { name, lastVersion: 0, createdMs: now };
    this.groups.put(name, { ...existing, ...(description === undefined ? {} : { description }), modifiedMs: now });
  }

  /** @throws AwsError ConflictException while the group has versions, as on AWS */
  deleteGroup(name: string): void {
    const versions = this.packages.all().filter(({ group }) => group === name).length;
    if (versions > 0)
      throw new AwsError(
        "ConflictException",
        `Model package group ${this.groupArn(name)} cannot be deleted while it has versions, and it has ${versions}. Delete them first: npm run model -- clear`,
      );
    this.groups.delete(name);
  }

  operations(): Record<string, Operation> {
    const groupArn = (input: Input) => this.groupArn(groupName(input.needText("ModelPackageGroupName")));
    const packageArn = (input: Input) => this.packageArn(packageName(input, "ModelPackageName"));
    return {
      CreateModelPackageGroup: {
        fields: ["ModelPackageGroupName", "ModelPackageGroupDescription", "Tags"],
        resource: groupArn,
        run: (input) => this.createGroup(input),
      },
      DescribeModelPackageGroup: {
        fields: ["ModelPackageGroupName"],
        resource: groupArn,
        run: (input) => this.describeGroup(this.group(input)),
      },
      DeleteModelPackageGroup: {
        fields: ["ModelPackageGroupName"],
        resource: groupArn,
        run: (input) => {
          this.deleteGroup(this.group(input).name);
          return {};
        },
      },
      ListModelPackageGroups: { fields: LIST_FIELDS, resource: () => "*", run: (input) => this.listGroups(input) },
      CreateModelPackage: {
        fields: ["ModelPackageGroupName", "ModelApprovalStatus", "CustomerMetadataProperties", "ClientToken", ...PACKAGE_FIELDS],
        resource: groupArn,
        run: (input) => this.createPackage(input),
      },
      DescribeModelPackage: {
        fields: ["ModelPackageName"],
        resource: packageArn,
        run: (input) => this.describePackage(this.package(packageName(input, "ModelPackageName"))),
      },
      DeleteModelPackage: {
        fields: ["ModelPackageName"],
        resource: packageArn,
        run: (input) => {
          this.packages.delete(this.package(packageName(input, "ModelPackageName")).name);
          return {};
        },
      },
      UpdateModelPackage: {
        fields: [
          "ModelPackageArn",
          "ModelApprovalStatus",
          "ApprovalDescription",
          "CustomerMetadataProperties",
          "CustomerMetadataPropertiesToRemove",
        ],
        resource: (input) => this.packageArn(packageName(input, "ModelPackageArn")),
        run: (input) => this.updatePackage(input),
      },
      ListModelPackages: {
        fields: [...LIST_FIELDS, "ModelPackageGroupName", "ModelApprovalStatus", "ModelPackageType"],
        // The action has no resource of its own in IAM.
        resource: () => "*",
        run: (input) => this.listPackages(input),
      },
    };
  }

  private arn(kind: string, name: string): string {
    return `arn:aws:sagemaker:${this.ports.context.region}:${this.ports.context.accountId}:${kind}/${name}`;
  }

  private createGroup(input: Input): object {
    const name = nameIn(input, "ModelPackageGroupName");
    if (this.groups.get(name) !== undefined)
      throw new AwsError("ValidationException", `Model Package Group already exists: ${this.groupArn(name)}`);
    this.putGroup(name, input.text("ModelPackageGroupDescription"));
    return { ModelPackageGroupArn: this.groupArn(name) };
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
    const clientToken = input.text("ClientToken");
    const repeated =
      clientToken === undefined
        ? undefined
        : this.packages.all().find((one) => one.group === group.name && one.clientToken === clientToken);
    if (repeated !== undefined) return { ModelPackageArn: this.packageArn(repeated.name) };
    checkInference(input);
    const now = this.ports.context.clock.now();
    const version = group.lastVersion + 1;
    const made: Package = {
      name: `${group.name}/${version}`,
      group: group.name,
      version,
      approval: oneOf(input, "ModelApprovalStatus", APPROVALS) ?? "PendingManualApproval",
      properties: propertiesOf(input, {}),
      request: Object.fromEntries(PACKAGE_FIELDS.filter((field) => input.has(field)).map((field) => [field, input.raw(field)])),
      ...(clientToken === undefined ? {} : { clientToken }),
      createdMs: now,
      modifiedMs: now,
    };
    this.groups.put(group.name, { ...group, lastVersion: version, modifiedMs: now });
    this.packages.put(made.name, made);
    this.publish(made);
    return { ModelPackageArn: this.packageArn(made.name) };
  }

  /** The same decision again is allowed, and told again. */
  private updatePackage(input: Input): object {
    const existing = this.package(packageName(input, "ModelPackageArn"));
    const description = input.text("ApprovalDescription");
    const updated: Package = {
      ...existing,
      approval: oneOf(input, "ModelApprovalStatus", APPROVALS) ?? existing.approval,
      ...(description === undefined ? {} : { approvalDescription: description }),
      properties: propertiesOf(input, existing.properties),
      modifiedMs: this.ports.context.clock.now(),
    };
    this.packages.put(updated.name, updated);
    this.publish(updated);
    return { ModelPackageArn: this.packageArn(updated.name) };
  }

  private listPackages(input: Input): object {
    const type = oneOf(input, "ModelPackageType", ["Versioned"]);
    const group = input.has("ModelPackageGroupName") ? this.group(input).name : undefined;
    const approval = oneOf(input, "ModelApprovalStatus", APPROVALS);
    if (group === undefined && type === undefined)
      throw input.error(
        "ModelPackageGroupName is required: every package here is a version of a group (or ask for ModelPackageType Versioned)",
      );
    const { items, ...rest } = listing(
      this.packages
        .all()
        .filter((one) => (group === undefined || one.group === group) && (approval === undefined || one.approval === approval)),
      input,
    );
    return {
      ModelPackageSummaryList: items.map((one) => ({
        ModelPackageGroupName: one.group,
        ModelPackageVersion: one.version,
        ModelPackageArn: this.packageArn(one.name),
        ...(one.request.ModelPackageDescription === undefined
          ? {}
          : { ModelPackageDescription: one.request.ModelPackageDescription }),
        CreationTime: new Date(one.createdMs),
        ModelPackageStatus: "Completed",
        ModelApprovalStatus: one.approval,
      })),
      ...rest,
    };
  }

  private listGroups(input: Input): object {
    const { items, ...rest } = listing(this.groups.all(), input);
    return { ModelPackageGroupSummaryList: items.map((group) => this.describeGroup(group)), ...rest };
  }

  private describeGroup(group: Group): object {
    return {
      ModelPackageGroupName: group.name,
      ModelPackageGroupArn: this.groupArn(group.name),
      ...(group.description === undefined ? {} : { ModelPackageGroupDescription: group.description }),
      CreationTime: new Date(group.createdMs),
      ModelPackageGroupStatus: "Completed",
      CreatedBy: {},
    };
  }

  private describePackage(one: Package): Record<string, unknown> {
    return {
      ModelPackageGroupName: one.group,
      ModelPackageVersion: one.version,
      ModelPackageArn: this.packageArn(one.name),
      ...one.request,
      CreationTime: new Date(one.createdMs),
      ModelPackageStatus: "Completed",
      ModelPackageStatusDetails: { ValidationStatuses: [], ImageScanStatuses: [] },
      CertifyForMarketplace: false,
      ModelApprovalStatus: one.approval,
      ...(one.approvalDescription === undefined ? {} : { ApprovalDescription: one.approvalDescription }),
      CustomerMetadataProperties: one.properties,
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

function checkInference(input: Input): void {
  const specification = input.child("InferenceSpecification", [
    "Containers",
    "SupportedContentTypes",
    "SupportedResponseMIMETypes",
    "SupportedTransformInstanceTypes",
    "SupportedRealtimeInferenceInstanceTypes",
  ]);
  if (specification === undefined) throw input.error("InferenceSpecification is required");
  const containers = specification.needChildren("Containers", CONTAINER_FIELDS);
  if (containers.length === 0) throw input.error("InferenceSpecification.Containers must not be empty");
  for (const container of containers) container.needText("Image");
}

function propertiesOf(input: Input, existing: Readonly<Record<string, string>>): Record<string, string> {
  const properties = { ...existing, ...input.textMap("CustomerMetadataProperties") };
  for (const name of input.texts("CustomerMetadataPropertiesToRemove") ?? []) delete properties[name];
  const long = Object.entries(properties).find(([, value]) => value.length > MAX_PROPERTY_CHARACTERS);
  if (long !== undefined)
    throw input.error(
      `CustomerMetadataProperties.${long[0]} must have at most ${MAX_PROPERTY_CHARACTERS} characters, got ${long[1].length}`,
    );
  const count = Object.keys(properties).length;
  if (count > MAX_PROPERTIES)
    throw input.error(`CustomerMetadataProperties must have at most ${MAX_PROPERTIES} members, got ${count}`);
  return properties;
}
