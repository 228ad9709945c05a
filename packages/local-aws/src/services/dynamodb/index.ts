export { dynamoDbBodies } from "./bodies";
export type { Metering, Usage } from "./meter";
export { DynamoDbService } from "./service";
