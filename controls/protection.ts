/** What a `pulumi destroy` could delete for good. */
import type { GraphResource } from "@risk/program-graph";
import type { Control } from "./control";

const PARAMETER = "aws:ssm/parameter:Parameter";

/** Types that hold data which the program can't write again, or that decrypt it. */
const HOLDERS = [
  "aws:s3/bucket:Bucket",
  "aws:dynamodb/table:Table",
  "aws:kinesis/stream:Stream",
  "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream",
  "aws:redshiftserverless/namespace:Namespace",
  "aws:redshift/cluster:Cluster",
  "aws:sagemaker/modelPackageGroup:ModelPackageGroup",
  "aws:kms/key:Key",
  "aws:secretsmanager/secret:Secret",
];

/** A parameter whose value the program writes only once: its later value exists nowhere else. */
const keepsValue = ({ type, ignoreChanges }: GraphResource): boolean => type === PARAMETER && ignoreChanges.includes("value");

export const protectionControls: readonly Control[] = [
  {
    id: "Protection",
    title: "What holds data, or opens it, is protected from pulumi destroy",
    appliesTo: [...HOLDERS, PARAMETER],
    check: (resource) =>
      resource.protect || !(HOLDERS.includes(resource.type) || keepsValue(resource))
        ? []
        : ["protect is false; set risk:deletionProtection to true, or protect in the options of a resource of its own."],
  },
];
