/** Writes docs/features.md from the feature registry. To run it alone: `node dist/build/features-doc.js`. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { PROFILES } from "../functions/scoring/profiles";
import { type RegisteredFeature, registeredFeatures } from "../functions/scoring/profiles/feature-registry";

const HEAD = `# Features

Every feature of every profile: what it means, where it comes from, who owns it, and how fresh it is. Models, archive lines and the tables of the
[catalog](catalog.md) hold a profile's features in the order of its list.

\`npm run docs\` makes this page from the profiles' definitions and from \`functions/scoring/profiles/feature-registry.ts\`. Tests change one field of a record at a
time and compare the features with the sources that are registered, and score records with and without a history. To add a feature, append it to the
profile's definitions and register it there; \`since\` is the number of the list that had it first, so a new one gets the next.

\`npm run features -- list --json\` prints the same list for programs. \`npm run features -- export --entities users.csv --as-of 2026-11-21T00:00:00Z\` writes,
for each row of a file (\`user_id\`, a token of the archive; \`as_of\` if each row has its own moment), the features that were known of the user then: those of
the newest event that had happened by the moment and had been scored by it. An event that arrived later was not known, so a model that is trained with the
export knows no more than it will when it answers. \`--known-by\` is for repeating an export: with the time of the first one it leaves out everything that has
been scored since, and gives the same rows. It reads the archive with the role of analysts, on one machine or with \`--aws\` on a stack.

A **boolean** is 1 or 0, a **category** the index of its value, a **text** a hash. A feature that can't be known is null. *Looks back over* says which part of
the user's state a feature needs; the state holds the events that were scored before, in whatever order they came, so a feature is as fresh as the user's event
before. All others are of the record alone.
`;

export function featuresDoc(): string {
  return [HEAD, ...Object.values(PROFILES).map((profile) => section(profile.id, registeredFeatures(profile)))].join("\n");
}

function section(profile: string, features: readonly RegisteredFeature[]): string {
  const owners = [...new Set(features.map(({ owner }) => owner))].join(", ");
  return [
    `## \`${profile}\``,
    "",
    `Owner: ${owners}. ${features.length} features.`,
    "",
    "| Feature | Type | Unit | Meaning | From | Looks back over | Since |",
    "|---|---|---|---|---|---|---|",
    ...features.map(row),
    "",
  ].join("\n");
}

function row({ name, type, unit = "", description, categories, source, history = "", since }: RegisteredFeature): string {
  const meaning = categories === undefined ? description : `${description}: ${categories.join(", ")}`;
  return `| \`${name}\` | ${type} | ${unit} | ${meaning} | ${source.map((field) => `\`${field}\``).join(", ")} | ${history} | ${since} |`;
}

if (typeof require !== "undefined" && typeof module !== "undefined" && require.main === module) {
  writeFileSync(join(process.cwd(), "docs", "features.md"), featuresDoc());
}
