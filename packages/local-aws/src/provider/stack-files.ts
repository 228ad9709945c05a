/**
 * Copies of the project's files for the engine: `pulumi stack init` writes the salt of its passphrase into the stack file, and trying
 * things out must not change a clone.
 */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { problemsOf, revealSecureValues } from "@risk/program-graph";
import { parseDocument } from "yaml";

/** Members of a stack file that belong to a backend and its passphrase. */
const OF_THE_BACKEND = ["encryptionsalt", "encryptedkey", "secretsprovider"];

interface StackFiles {
  /** Where `pulumi stack init` runs: it reads and writes the copies there. */
  readonly folder: string;
  /** For `--config-file`. */
  readonly configFile: string;
}

/**
 * Brings the copies up to date with the project, keeping the salt of an earlier `pulumi stack init`. Encrypted values, which the
 * passphrase of that salt doesn't open, are plain in the copy.
 * @throws Error with the variables that encrypted values are missing
 */
export function copyStackFiles(
  projectDir: string,
  stack: string,
  folder: string,
  env: NodeJS.ProcessEnv = process.env,
): StackFiles {
  const project = parseDocument(readFileSync(join(projectDir, "Pulumi.yaml"), "utf8"));
  const copies = join(folder, stack, "project");
  mkdirSync(copies, { recursive: true });
  const name = `Pulumi.${stack}.yaml`;
  const configFile = join(copies, name);
  const source = join(projectDir, name);
  const document = parseDocument(readFileSync(source, "utf8"));
  const { problems } = revealSecureValues(document, String(project.get("name")), env);
  if (problems.length > 0) throw problemsOf(source, problems);
  const earlier = existsSync(configFile) ? parseDocument(readFileSync(configFile, "utf8")) : undefined;
  for (const member of OF_THE_BACKEND) {
    const kept = earlier?.get(member);
    if (kept === undefined) document.delete(member);
    else document.set(member, kept);
  }
  // Only the owner may read it: it holds values that were encrypted.
  writeFileSync(configFile, document.toString({ lineWidth: 0 }), { mode: 0o600 });
  copyFileSync(join(projectDir, "Pulumi.yaml"), join(copies, "Pulumi.yaml"));
  return { folder: copies, configFile };
}
