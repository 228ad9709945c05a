import { at, type Control, field, is, isNot, isText, listAt } from "./control";

const NAMESPACE = "aws:redshiftserverless/namespace:Namespace";
const WORKGROUP = "aws:redshiftserverless/workgroup:Workgroup";

const parameter =
  (key: string, expected: string): Control["check"] =>
  ({ inputs }) => {
    const found = listAt(inputs, "configParameters").find((entry) => at(entry, "parameterKey") === key);
    const value = at(found, "parameterValue");
    return value === expected
      ? []
      : [`configParameters has ${key} ${value === undefined ? "not set" : JSON.stringify(value)}; set it to "${expected}".`];
  };

const exportsLogs = (...logs: readonly string[]): Control["check"] =>
  field(
    "logExports",
    (value) => logs.every((log) => Array.isArray(value) && value.includes(log)),
    `let it hold ${logs.map((log) => `"${log}"`).join(" and ")}.`,
  );

export const redshiftServerlessControls: readonly Control[] = [
  {
    id: "RedshiftServerless.1",
    title: "COPY and UNLOAD stay in the VPC",
    appliesTo: [WORKGROUP],
    check: field("enhancedVpcRouting", is(true), "set it to true."),
  },
  {
    id: "RedshiftServerless.2",
    title: "Connections use TLS",
    appliesTo: [WORKGROUP],
    check: parameter("require_ssl", "true"),
  },
  {
    id: "RedshiftServerless.3",
    title: "Workgroups are not reachable from the internet",
    appliesTo: [WORKGROUP],
    check: field("publiclyAccessible", isNot(true), "set it to false."),
  },
  {
    id: "RedshiftServerless.4",
    title: "Namespaces are encrypted under a key of the stack",
    appliesTo: [NAMESPACE],
    check: field("kmsKeyId", isText, "set it to the ARN of a customer-managed key."),
  },
  {
    id: "RedshiftServerless.5",
    title: "The administrator has a name of its own",
    appliesTo: [NAMESPACE],
    check: field(
      "adminUsername",
      (value) => isText(value) && !["admin", "awsuser"].includes(value),
      'set it to a name other than "admin" and "awsuser".',
    ),
  },
  {
    id: "RedshiftServerless.6",
    title: "Connections and users are logged",
    appliesTo: [NAMESPACE],
    check: exportsLogs("connectionlog", "userlog"),
  },
  {
    id: "RedshiftServerless.7",
    title: "The database has a name of its own",
    appliesTo: [NAMESPACE],
    check: field("dbName", (value) => isText(value) && value !== "dev", 'set it to a name other than "dev".'),
  },
];
