/** Single services and parts of them, for the tests of a program that runs on them. */
export { compileFirewall, type Firewall } from "./apigateway/firewall";
export { TokenBucket } from "./apigateway/throttle";
export { AwsError, type Principal, type ResourceBody } from "./contracts";
export { deploy } from "./engine/deploy";
export { physicalName } from "./engine/names";
export { createServices } from "./engine/services";
export { CredentialStore, roleNameOf } from "./gateway/credentials";
export { FaultInjector } from "./gateway/faults";
export { type AlarmState, comparisons, decide, extraPeriods, type TreatMissing } from "./services/cloudwatch/evaluation";
export { DynamoError } from "./services/dynamodb/engine";
export { DynamoDbService } from "./services/dynamodb/service";
export { itemBytes } from "./services/item-size";
export { redshiftBodies } from "./services/redshift/bodies";
export { RedshiftServerless } from "./services/redshift/serverless";
export { RedshiftDataService } from "./services/redshift/service";
export { sageMakerBodies } from "./services/sagemaker/bodies";
export { SageMakerRuntimeService } from "./services/sagemaker/runtime";
