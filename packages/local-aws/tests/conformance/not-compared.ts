/** Operations that the local runtime has and no case compares, each with the reason. `service:*` stands for all of a service. */
export const NOT_COMPARED: Readonly<Record<string, string>> = {
  "athena:*": "moto executes no query: every one has the same made-up result",
  "firehose:*": "moto has no buffers and calls no transformation: it writes every request to the bucket at once",
  "glue:BatchStopJobRun": "moto has no such operation",
  "glue:GetDatabase": "here databases and tables are made by the program alone, so no client call makes them on both sides",
  "glue:GetPartitions": "as glue:GetDatabase",
  "glue:GetTable": "as glue:GetDatabase",
  "glue:GetTables": "as glue:GetDatabase",
  "glue:ListSchemaVersions": "moto has no such operation",
  "lambda:Invoke": "moto runs functions in containers, or answers without running them; only the refusal is compared",
  "redshift-data:*": "moto executes no SQL: every statement has the same made-up result",
  "sagemaker:DeleteModelPackage": "moto has no such operation",
  "sagemaker:InvokeEndpoint": "moto answers from a queue that a test fills, without a model",
  "sagemaker:StopTrainingJob": "moto has no such operation",
  "sagemaker:StopTransformJob": "moto has no such operation",
  "sns:Publish": "only state machines call it, in JSON; clients and moto speak the query protocol",
  "sts:AssumeRole": "moto checks neither the trust policy nor the caller's",
};
