import { getRandomPasswordOutput, Secret, SecretVersion } from "@pulumi/aws/secretsmanager";
import * as pulumi from "@pulumi/pulumi";
import type { EncryptionKey } from "./encryption-key";
import type { Statement } from "./iam";

export interface GeneratedSecretArgs {
  readonly key: EncryptionKey;
  readonly description: string;
  /** Days within which a deleted secret can be restored; 0 deletes at once. */
  readonly recoveryWindowDays: number;
  /** Protects the secret and its value from `pulumi destroy`. */
  readonly deletionProtection: boolean;
}

/** The key of the tokens that replace personal fields. It can be restored for 30 days: a new key would give every user a new token. */
export function tokenKey(
  name: string,
  { key, deletionProtection }: Pick<GeneratedSecretArgs, "key" | "deletionProtection">,
  opts: pulumi.ComponentResourceOptions = {},
): GeneratedSecret {
  const description = "Key of the tokens that stand for personal fields";
  return new GeneratedSecret(name, { key, description, recoveryWindowDays: 30, deletionProtection }, opts);
}

/** A random value, marked as secret for the state file. */
export function randomValue(parent: pulumi.Resource): pulumi.Output<string> {
  // 48 characters of 62 are 285 bits, more than the 256 of the HMAC that uses them.
  const drawn = getRandomPasswordOutput({ passwordLength: 48, excludePunctuation: true }, { parent });
  return pulumi.secret(drawn.randomPassword);
}

/** A secret whose value is drawn at the first deployment and never changed by later ones. */
export class GeneratedSecret extends pulumi.ComponentResource {
  readonly arn: pulumi.Output<string>;
  readonly nodes: { readonly secret: Secret; readonly version: SecretVersion };
  private readonly key: EncryptionKey;

  constructor(name: string, args: GeneratedSecretArgs, opts?: pulumi.ComponentResourceOptions) {
    super("risk:lib:Secret", name, {}, opts);
    this.key = args.key;
    const secret = new Secret(
      `${name}-secret`,
      { description: args.description, kmsKeyId: args.key.arn, recoveryWindowInDays: args.recoveryWindowDays },
      { parent: this, protect: args.deletionProtection },
    );
    const version = new SecretVersion(
      `${name}-value`,
      { secretId: secret.id, secretString: randomValue(this) },
      // Every evaluation draws a new value, but only the first one is stored.
      { parent: this, ignoreChanges: ["secretString"], protect: args.deletionProtection },
    );
    this.arn = secret.arn;
    this.nodes = { secret, version };
    this.registerOutputs({ arn: this.arn });
  }

  readStatements(): Statement[] {
    return [
      { sid: "ReadSecret", actions: ["secretsmanager:GetSecretValue"], resources: [this.arn] },
      this.key.decryptStatement(),
    ];
  }
}
