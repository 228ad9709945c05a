/**
 * Makes the AWS SDK's clients shake down to the commands in use. A client's schema module names the members of its structures by
 * computed keys (`{ [_xF]: 1 }`) and registers every error of its service: to a bundler both are side effects, so every command's
 * schemas and a class for each of, say, Parameter Store's 140 errors stay.
 */

/** Heads of a module in esbuild's unminified output: `// node_modules/@aws-sdk/client-ssm/dist-es/schemas/schemas_0.js`. */
const MODULE_HEAD = /^(?=\/\/ \S+\.(?:[cm]?js|ts|json|sql)$)/m;
const SCHEMA_HEAD = /^\/\/ \S+\/@aws-sdk\/client-[a-z0-9-]+\/dist-es\/schemas\/schemas_\d+\.js\n/;
/** Heads of wrapped modules: `var require_a = __commonJS({` and on the next line the module's path as the name of a method. */
const WRAPPED_MODULE = /(= __(?:commonJS|esm)\(\{\n {2})"[^"\n]+"/g;
const MANIFEST_HEAD = /^\/\/ \S+\/@aws-sdk\/[a-z0-9-]+\/package\.json\n/;

/**
 * Rewrites a bundle (esbuild's ES module output, not minified) so that the next pass can drop what nothing uses; what it does stays
 * the same, but that an error whose class the code never names arrives as the service's base class, with name, message and metadata.
 * Classes with a retry hint of their own (`$retryable`) stay too, since the SDK's retries read it. Paths of modules go: they lead
 * from the project's folder to where its packages are, which is another place on another machine.
 */
export function trimSdk(bundle: string): string {
  const named = new Set([...bundle.matchAll(/ instanceof (\w+)/g)].map(([, name]) => name));
  for (const [text, name] of bundle.matchAll(/^var (\w+) = class [\s\S]*?^};$/gm))
    if (text.includes("$retryable")) named.add(name);
  return bundle
    .split(MODULE_HEAD)
    .map((text) => (SCHEMA_HEAD.test(text) ? trimSchemas(text, named) : MANIFEST_HEAD.test(text) ? versionOnly(text) : text))
    .join("")
    .replace(WRAPPED_MODULE, '$1"module"');
}

function trimSchemas(text: string, named: ReadonlySet<string | undefined>): string {
  const constants = new Map(
    [...text.matchAll(/^var (_\w+) = ("(?:[^"\\]|\\.)*");$/gm)].map(([, name, value]) => [name, value ?? ""]),
  );
  return text
    .replace(/\[(_\w+)\]: /g, (whole, name) => {
      const value = constants.get(name);
      // A literal "__proto__" would set the prototype instead of a member.
      return value === undefined || value === '"__proto__"' ? whole : `${value}: `;
    })
    .replace(/^\w+_registry\d*\.registerError\(\w+\$\d*, (\w+)\);\n/gm, (whole, name) =>
      named.has(name) || /ServiceException\d*$/.test(name) ? whole : "",
    );
}

/** A client reads its manifest for the version that its user agent states. */
function versionOnly(text: string): string {
  return text.replace(/^var (package_default\d*) = \{[\s\S]*?^};/m, (whole, name) => {
    const version = /^ {2}"?version"?: ("[^"]+")/m.exec(whole)?.[1];
    return version === undefined ? whole : `var ${name} = { version: ${version} };`;
  });
}
