/** Single services and their parts, for the tests of a program that is made for them. */
export { compileFirewall, type Firewall } from "./apigateway/firewall";
export { TokenBucket } from "./apigateway/throttle";
export { AwsError, type GraphResource, type Principal, type ResourceBody } from "./contracts";
export { CredentialStore, roleNameOf } from "./gateway/credentials";
export { FaultInjector } from "./gateway/faults";
export { type AlarmState, comparisons, decide, extraPeriods, type TreatMissing } from "./services/cloudwatch/evaluation";
export { DynamoError } from "./services/dynamodb/engine";
export { itemBytes } from "./services/item-size";
export { redshiftBodies } from "./services/redshift/bodies";
export { RedshiftServerless } from "./services/redshift/serverless";
export { RedshiftDataService } from "./services/redshift/service";
