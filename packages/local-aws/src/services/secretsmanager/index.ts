export { secretArn } from "./arn";
export { secretsManagerBodies } from "./bodies";
export { SecretsManagerService } from "./service";
