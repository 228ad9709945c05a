/**
 * Copies of the project's files for the engine: `pulumi stack init` writes the salt of its passphrase into the stack file, and trying
 * things out must not change a clone.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseDocument } from "yaml";

/** Members of a stack file that belong to a backend and its passphrase. */
const OF_THE_BACKEND = ["encryptionsalt", "encryptedkey", "secretsprovider"];

export interface StackFiles {
  /** Where `pulumi stack init` runs: it reads and writes the copies there. */
  readonly folder: string;
  /** For `--config-file`. */
  readonly configFile: string;
}

/** Brings the copies up to date with the project, keeping the salt of an earlier `pulumi stack init`. */
export function copyStackFiles(projectDir: string, stack: string, folder: string): StackFiles {
  const copies = join(folder, stack, "project");
  mkdirSync(copies, { recursive: true });
  const name = `Pulumi.${stack}.yaml`;
  const configFile = join(copies, name);
  const document = parseDocument(readFileSync(join(projectDir, name), "utf8"));
  const earlier = existsSync(configFile) ? parseDocument(readFileSync(configFile, "utf8")) : undefined;
  for (const member of OF_THE_BACKEND) {
    const kept = earlier?.get(member);
    if (kept === undefined) document.delete(member);
    else document.set(member, kept);
  }
  writeFileSync(configFile, document.toString({ lineWidth: 0 }));
  copyFileSync(join(projectDir, "Pulumi.yaml"), join(copies, "Pulumi.yaml"));
  return { folder: copies, configFile };
}
