/** Access keys of the local account: the owner's pair, kept with the data, and one session for each role in use. */
import { randomBytes } from "node:crypto";
import type { DatabaseSync } from "node:sqlite";
import type { KeyRecord } from "./sigv4";

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

export interface SessionCredentials extends Credentials {
  readonly sessionToken: string;
}

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

function keyId(prefix: "AKIA" | "ASIA"): string {
  return prefix + [...randomBytes(16)].map((byte) => BASE32[byte % 32]).join("");
}

function secretKey(): string {
  return randomBytes(30).toString("base64");
}

/** Role name in `arn:aws:iam::123:role/path/NAME`. Throws for anything else. */
export function roleNameOf(roleArn: string): string {
  const match = /^arn:aws[a-z-]*:iam::\d{12}:role\/(?:.*\/)?([\w+=,.@-]+)$/.exec(roleArn);
  if (!match?.[1]) throw new Error(`'${roleArn}' is not the ARN of an IAM role; expected arn:aws:iam::<account>:role/<name>.`);
  return match[1];
}

export class CredentialStore {
  /** May do everything in the local account; random per data folder. */
  readonly owner: Credentials;
  private readonly keys = new Map<string, KeyRecord>();
  private readonly sessions = new Map<string, SessionCredentials>();

  constructor(
    db: DatabaseSync,
    private readonly accountId: string,
  ) {
    db.exec(
      "CREATE TABLE IF NOT EXISTS credentials_owner (id INTEGER PRIMARY KEY CHECK (id = 1), access_key TEXT NOT NULL, secret_key TEXT NOT NULL)",
    );
    db.prepare("INSERT OR IGNORE INTO credentials_owner VALUES (1, ?, ?)").run(keyId("AKIA"), secretKey());
    const row = db.prepare("SELECT access_key, secret_key FROM credentials_owner").get();
    this.owner = { accessKeyId: String(row?.access_key), secretAccessKey: String(row?.secret_key) };
    this.keys.set(this.owner.accessKeyId, {
      secretAccessKey: this.owner.secretAccessKey,
      sessionToken: undefined,
      principal: { kind: "owner", arn: `arn:aws:iam::${accountId}:root` },
    });
  }

  /**
   * Session credentials of a role. The same session (role and name) gets the same credentials while the process lives;
   * they never expire, since the runtime that hands them out ends with them.
   */
  issue(roleArn: string, sessionName = "local"): SessionCredentials {
    const roleName = roleNameOf(roleArn);
    const arn = `arn:aws:sts::${this.accountId}:assumed-role/${roleName}/${sessionName}`;
    const existing = this.sessions.get(arn);
    if (existing) return existing;
    const session = {
      accessKeyId: keyId("ASIA"),
      secretAccessKey: secretKey(),
      sessionToken: randomBytes(96).toString("base64"),
    };
    this.sessions.set(arn, session);
    this.keys.set(session.accessKeyId, {
      secretAccessKey: session.secretAccessKey,
      sessionToken: session.sessionToken,
      principal: { kind: "role", arn, roleName },
    });
    return session;
  }

  /** A {@link KeySource} for signature verification. */
  readonly lookup = (accessKeyId: string): KeyRecord | undefined => this.keys.get(accessKeyId);
}
