import { at, type Control, field, is, isText } from "./control";

const WORKGROUP = "aws:athena/workgroup:Workgroup";

const configuration = (path: string, expected: (value: unknown) => boolean, fix: string): Control["check"] =>
  field(`configuration.${path}`, expected, fix);

export const athenaControls: readonly Control[] = [
  {
    id: "Athena.4",
    title: "Workgroups publish metrics",
    appliesTo: [WORKGROUP],
    check: configuration("publishCloudwatchMetricsEnabled", is(true), "set it to true."),
  },
  {
    id: "ATH1",
    title: "Results of queries are encrypted under a key of the stack",
    appliesTo: [WORKGROUP],
    check: ({ inputs }) => {
      const encryption = at(inputs, "configuration.resultConfiguration.encryptionConfiguration");
      if (at(encryption, "encryptionOption") === "SSE_KMS" && isText(at(encryption, "kmsKeyArn"))) return [];
      return [
        "configuration.resultConfiguration.encryptionConfiguration names no key; set encryptionOption to SSE_KMS and kmsKeyArn to a key.",
      ];
    },
  },
  {
    id: "Athena.enforced",
    title: "Clients can't replace the workgroup's settings",
    appliesTo: [WORKGROUP],
    check: configuration("enforceWorkgroupConfiguration", is(true), "set it to true."),
  },
  {
    id: "Athena.limit",
    title: "A query has a limit",
    appliesTo: [WORKGROUP],
    check: configuration(
      "bytesScannedCutoffPerQuery",
      (value) => typeof value === "number" && value >= 10_000_000,
      "set it to the bytes that a query may read, from 10,000,000 on.",
    ),
  },
];
