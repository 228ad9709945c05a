import { stableHex } from "../resource-parts";

/** ARN with the six characters that AWS adds; derived from the name, so that it is the same on every start. */
export function secretArn(region: string, accountId: string, name: string): string {
  return `arn:aws:secretsmanager:${region}:${accountId}:secret:${name}-${stableHex(`secret ${name}`, 6)}`;
}
