import { at, field, is, isNot, isText, listAt, type Rule } from "./rule";

const NAMESPACE = "aws:redshiftserverless/namespace:Namespace";
const WORKGROUP = "aws:redshiftserverless/workgroup:Workgroup";

const parameter =
  (key: string, expected: string): Rule["check"] =>
  ({ inputs }) => {
    const found = listAt(inputs, "configParameters").find((entry) => at(entry, "parameterKey") === key);
    const value = at(found, "parameterValue");
    return value === expected
      ? []
      : [`configParameters has ${key} ${value === undefined ? "not set" : JSON.stringify(value)}; set it to "${expected}".`];
  };

const exportsLogs = (...logs: readonly string[]): Rule["check"] =>
  field(
    "logExports",
    (value) => logs.every((log) => Array.isArray(value) && value.includes(log)),
    `let it hold ${logs.map((log) => `"${log}"`).join(" and ")}.`,
  );

export const redshiftServerlessRules: readonly Rule[] = [
  {
    control: "RedshiftServerless.1",
    title: "COPY and UNLOAD stay in the VPC",
    appliesTo: [WORKGROUP],
    check: field("enhancedVpcRouting", is(true), "set it to true."),
  },
  {
    control: "RedshiftServerless.2",
    title: "Connections use TLS",
    appliesTo: [WORKGROUP],
    check: parameter("require_ssl", "true"),
  },
  {
    control: "RedshiftServerless.3",
    title: "Workgroups are not reachable from the internet",
    appliesTo: [WORKGROUP],
    check: field("publiclyAccessible", isNot(true), "set it to false."),
  },
  {
    control: "RedshiftServerless.4",
    title: "Namespaces are encrypted under a key of the stack",
    appliesTo: [NAMESPACE],
    check: field("kmsKeyId", isText, "set it to the ARN of a customer-managed key."),
  },
  {
    control: "RedshiftServerless.5",
    title: "The administrator has a name of its own",
    appliesTo: [NAMESPACE],
    check: field(
      "adminUsername",
      (value) => isText(value) && !["admin", "awsuser"].includes(value),
      'set it to a name other than "admin" and "awsuser".',
    ),
  },
  {
    control: "RedshiftServerless.6",
    title: "Connections and users are logged",
    appliesTo: [NAMESPACE],
    check: exportsLogs("connectionlog", "userlog"),
  },
  {
    control: "RedshiftServerless.7",
    title: "The database has a name of its own",
    appliesTo: [NAMESPACE],
    check: field("dbName", (value) => isText(value) && value !== "dev", 'set it to a name other than "dev".'),
  },
];
