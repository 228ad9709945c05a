/** Encryption at rest of secrets: AES-256-GCM under a key file beside the data, readable by its owner only. */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export class Vault {
  private readonly key: Buffer;

  constructor(dataDir: string) {
    const file = join(dataDir, "vault.key");
    if (!existsSync(file)) {
      mkdirSync(dataDir, { recursive: true });
      writeFileSync(file, randomBytes(32), { mode: 0o600, flag: "wx" });
    }
    this.key = readFileSync(file);
    if (this.key.length !== 32) throw new Error(`${file} must hold 32 bytes; restore it or delete the data folder.`);
  }

  /** `name` is authenticated with the text, so that sealed values cannot be swapped. */
  seal(text: string, name: string): Buffer {
    const iv = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", this.key, iv).setAAD(Buffer.from(name, "utf8"));
    const body = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
    return Buffer.concat([iv, cipher.getAuthTag(), body]);
  }

  /** Throws when the name or the bytes are not those of `seal`. */
  open(sealed: Uint8Array, name: string): string {
    const decipher = createDecipheriv("aes-256-gcm", this.key, sealed.subarray(0, 12)).setAAD(Buffer.from(name, "utf8"));
    decipher.setAuthTag(sealed.subarray(12, 28));
    return Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()]).toString("utf8");
  }
}
