import type { GraphResource } from "@risk/program-graph";
import { at, type Control, isText, violation } from "./control";

/** Every taggable type of the platform, except objects in buckets; a test compares the list with the SDK. */
export const TAGGABLE = [
  "aws:apigateway/apiKey:ApiKey",
  "aws:apigateway/restApi:RestApi",
  "aws:apigateway/stage:Stage",
  "aws:apigateway/usagePlan:UsagePlan",
  "aws:appautoscaling/target:Target",
  "aws:athena/workgroup:Workgroup",
  "aws:cloudwatch/eventBus:EventBus",
  "aws:cloudwatch/eventRule:EventRule",
  "aws:cloudwatch/logGroup:LogGroup",
  "aws:cloudwatch/metricAlarm:MetricAlarm",
  "aws:dynamodb/table:Table",
  "aws:ec2/securityGroup:SecurityGroup",
  "aws:ec2/vpcEndpoint:VpcEndpoint",
  "aws:glue/catalogDatabase:CatalogDatabase",
  "aws:glue/connection:Connection",
  "aws:glue/job:Job",
  "aws:glue/registry:Registry",
  "aws:glue/schema:Schema",
  "aws:iam/role:Role",
  "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream",
  "aws:kinesis/stream:Stream",
  "aws:kms/key:Key",
  "aws:lambda/eventSourceMapping:EventSourceMapping",
  "aws:lambda/function:Function",
  "aws:redshiftserverless/namespace:Namespace",
  "aws:redshiftserverless/workgroup:Workgroup",
  "aws:s3/bucket:Bucket",
  "aws:sagemaker/modelPackageGroup:ModelPackageGroup",
  "aws:secretsmanager/secret:Secret",
  "aws:sfn/stateMachine:StateMachine",
  "aws:sns/topic:Topic",
  "aws:sqs/queue:Queue",
  "aws:ssm/parameter:Parameter",
  "aws:wafv2/webAcl:WebAcl",
  "awsx:ec2:Vpc",
] as const;

const REQUIRED = ["project", "environment", "component"] as const;

/** AWS Config's `required-tags`. https://docs.aws.amazon.com/config/latest/developerguide/required-tags.html */
export const tagControls: readonly Control[] = [
  {
    id: "RequiredTags",
    title: "Whatever can be tagged says what it belongs to",
    appliesTo: TAGGABLE,
    check: ({ inputs }: GraphResource) =>
      REQUIRED.filter((tag) => !isText(at(inputs, `tags.${tag}`))).map((tag) =>
        violation(`tags.${tag}`, at(inputs, `tags.${tag}`), "create it under the stack, where stacks/tags.ts sets it."),
      ),
  },
];
