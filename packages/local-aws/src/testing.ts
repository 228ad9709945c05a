/** Single services and parts of them, for the tests of a program that runs on them. */

export { AwsError, type Principal, type ResourceBody } from "./contracts";
export { CredentialStore, roleNameOf } from "./endpoint/credentials";
export { deploy } from "./engine/deploy";
export { physicalName } from "./engine/names";
export { createServices } from "./engine/services";
export { FaultInjector } from "./faults/injector";
export { compileFirewall, type Firewall } from "./services/apigateway/firewall";
export { TokenBucket } from "./services/apigateway/throttle";
export { type AlarmState, comparisons, decide, extraPeriods, type TreatMissing } from "./services/cloudwatch/evaluation";
export { DynamoError } from "./services/dynamodb/engine";
export { DynamoDbService } from "./services/dynamodb/service";
export { itemBytes } from "./services/item-size";
export { redshiftBodies } from "./services/redshift/bodies";
export { RedshiftServerless } from "./services/redshift/serverless";
export { RedshiftDataService } from "./services/redshift/service";
export { sageMakerBodies } from "./services/sagemaker/bodies";
export { SageMakerRuntimeService } from "./services/sagemaker/runtime";
