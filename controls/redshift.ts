/** Provisioned Redshift clusters. */
import type { GraphResource } from "@risk/program-graph";
import {
  at,
  type Control,
  field,
  is,
  isAtLeast,
  isNot,
  isText,
  listAt,
  type ResourceGraph,
  refersTo,
  violation,
} from "./control";

const CLUSTER = "aws:redshift/cluster:Cluster";

/** Days of automated snapshots that the control requires. */
const SNAPSHOT_DAYS = 7;

/** A parameter of the cluster's parameter group. */
const parameter =
  (name: string): Control["check"] =>
  (cluster, graph) => {
    const group = graph
      .ofType("aws:redshift/parameterGroup:ParameterGroup")
      .find((candidate) => refersTo(cluster.inputs.clusterParameterGroupName, candidate));
    const found = listAt(group?.inputs, "parameters").find((entry) => at(entry, "name") === name);
    const value = at(found, "value");
    return value === "true"
      ? []
      : [violation(`${name} in the parameter group`, value, 'name a ParameterGroup that sets it to "true".')];
  };

function checkLogging(cluster: GraphResource, graph: ResourceGraph): string[] {
  const logging = graph
    .ofType("aws:redshift/logging:Logging")
    .filter(({ inputs }) => inputs.clusterIdentifier === cluster.inputs.clusterIdentifier);
  return logging.length > 0 ? [] : ["The cluster has no audit log; add a redshift Logging for it."];
}

const ANYONE = new Set(["0.0.0.0/0", "::/0"]);

/** Address ranges that a security group allows, inline or by separate rules. */
function rangesInto(group: GraphResource, graph: ResourceGraph): unknown[] {
  const inline = listAt(group.inputs, "ingress").flatMap((rule) => [
    ...listAt(rule, "cidrBlocks"),
    ...listAt(rule, "ipv6CidrBlocks"),
  ]);
  const own = graph.referring("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "securityGroupId", group);
  return [...inline, ...own.flatMap(({ inputs }) => [inputs.cidrIpv4, inputs.cidrIpv6])];
}

function checkOrigins(cluster: GraphResource, graph: ResourceGraph): string[] {
  const ids = listAt(cluster.inputs, "vpcSecurityGroupIds");
  return graph
    .ofType("aws:ec2/securityGroup:SecurityGroup")
    .filter((group) => ids.some((id) => refersTo(id, group)))
    .filter((group) => rangesInto(group, graph).some((range) => ANYONE.has(String(range))))
    .map(({ name }) => `ingress of ${name} lets any address in; name the ranges or security groups that may connect.`);
}

export const redshiftControls: readonly Control[] = [
  {
    id: "Redshift.1",
    alsoKnownAs: ["RS8"],
    title: "Clusters are not reachable from the internet",
    appliesTo: [CLUSTER],
    check: field("publiclyAccessible", isNot(true), "set it to false."),
  },
  {
    id: "Redshift.2",
    alsoKnownAs: ["RS1"],
    title: "Connections use TLS",
    appliesTo: [CLUSTER],
    check: parameter("require_ssl"),
  },
  {
    id: "Redshift.3",
    alsoKnownAs: ["RS10"],
    title: "Clusters have automated snapshots",
    appliesTo: [CLUSTER],
    check: field("automatedSnapshotRetentionPeriod", isAtLeast(SNAPSHOT_DAYS), `set it to ${SNAPSHOT_DAYS} days or more.`),
  },
  { id: "Redshift.4", alsoKnownAs: ["RS5"], title: "Clusters have an audit log", appliesTo: [CLUSTER], check: checkLogging },
  {
    id: "Redshift.6",
    alsoKnownAs: ["RS9"],
    title: "Clusters take major upgrades",
    appliesTo: [CLUSTER],
    check: field("allowVersionUpgrade", isNot(false), "set it to true."),
  },
  {
    id: "Redshift.7",
    title: "COPY and UNLOAD stay in the VPC",
    appliesTo: [CLUSTER],
    check: field("enhancedVpcRouting", is(true), "set it to true."),
  },
  {
    id: "Redshift.8",
    alsoKnownAs: ["RS3"],
    title: "The administrator has a name of its own",
    appliesTo: [CLUSTER],
    check: field("masterUsername", (value) => isText(value) && value !== "awsuser", 'set it to a name other than "awsuser".'),
  },
  {
    id: "Redshift.9",
    title: "The database has a name of its own",
    appliesTo: [CLUSTER],
    check: field("databaseName", (value) => isText(value) && value !== "dev", 'set it to a name other than "dev".'),
  },
  {
    id: "Redshift.10",
    alsoKnownAs: ["RS6"],
    title: "Clusters are encrypted at rest",
    appliesTo: [CLUSTER],
    // The provider writes this one flag as text.
    check: field("encrypted", is(true, "true"), "set it to true, with kmsKeyId."),
  },
  { id: "Redshift.15", title: "Only named origins may connect", appliesTo: [CLUSTER], check: checkOrigins },
  {
    id: "Redshift.18",
    title: "Clusters span zones",
    appliesTo: [CLUSTER],
    check: field("multiAz", is(true), "set it to true."),
  },
  {
    id: "RS2",
    title: "Clusters are in a VPC",
    appliesTo: [CLUSTER],
    check: field("clusterSubnetGroupName", isText, "name a subnet group."),
  },
  {
    id: "RS4",
    title: "Clusters do not listen on the default port",
    appliesTo: [CLUSTER],
    check: field("port", (value) => typeof value === "number" && value !== 5439, "set it to a port other than 5439."),
  },
  {
    id: "RS11",
    title: "What users run is logged",
    appliesTo: [CLUSTER],
    check: parameter("enable_user_activity_logging"),
  },
];
