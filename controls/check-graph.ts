/**
 * The security controls that a resource graph must meet. Plain functions over evaluated resources: `npm run controls` checks the
 * stacks with them, tests check single resources.
 */
import type { GraphResource } from "@risk/program-graph";
import { apiGatewayControls } from "./api-gateway";
import { athenaControls } from "./athena";
import { cloudWatchControls } from "./cloudwatch";
import { type Control, ResourceGraph } from "./control";
import { dynamoDbControls } from "./dynamodb";
import { eventBridgeControls } from "./eventbridge";
import { type Exemption, exemptions } from "./exemptions";
import { iamControls } from "./iam";
import { keyUseControls } from "./key-use";
import { kinesisControls } from "./kinesis";
import { lambdaControls } from "./lambda";
import { messagingControls } from "./messaging";
import { pipelineControls } from "./pipeline";
import { protectionControls } from "./protection";
import { redshiftControls } from "./redshift";
import { redshiftServerlessControls } from "./redshift-serverless";
import { s3Controls } from "./s3";
import { secretControls } from "./secrets";
import { serviceDeliveryControls } from "./service-delivery";
import { stateMachineControls } from "./state-machines";
import { tagControls } from "./tags";

export const controls: readonly Control[] = [
  ...apiGatewayControls,
  ...lambdaControls,
  ...kinesisControls,
  ...dynamoDbControls,
  ...s3Controls,
  ...messagingControls,
  ...eventBridgeControls,
  ...serviceDeliveryControls,
  ...keyUseControls,
  ...redshiftServerlessControls,
  ...redshiftControls,
  ...athenaControls,
  ...pipelineControls,
  ...stateMachineControls,
  ...protectionControls,
  ...secretControls,
  ...iamControls,
  ...cloudWatchControls,
  ...tagControls,
];

/** What a control found on one resource. */
export interface Finding {
  readonly control: string;
  readonly resource: GraphResource;
  readonly message: string;
  /** Why the violation is accepted; undefined when it isn't. */
  readonly exemption: Exemption | undefined;
}

export interface ControlResult {
  readonly control: Control;
  /** Number of resources that the control checked. */
  readonly checked: readonly GraphResource[];
  readonly findings: readonly Finding[];
}

export interface GraphResult {
  readonly results: readonly ControlResult[];
  /** Violations that no exemption excuses. */
  readonly violations: readonly Finding[];
  /** Exemptions for this stack that match no violation. */
  readonly unusedExemptions: readonly Exemption[];
}

export interface CheckOptions {
  readonly stack: string;
  readonly controls?: readonly Control[];
  readonly exemptions?: readonly Exemption[];
}

/** Checks all resources against all controls. The graph passes when there are neither violations nor unused exemptions. */
export function checkGraph(resources: readonly GraphResource[], options: CheckOptions): GraphResult {
  const graph = new ResourceGraph(resources);
  const candidates = (options.exemptions ?? exemptions).filter(
    ({ stacks }) => stacks === undefined || stacks.includes(options.stack),
  );
  const results = (options.controls ?? controls).map((control): ControlResult => {
    const checked = graph.ofType(...control.appliesTo);
    const findings = checked.flatMap((resource) =>
      control.check(resource, graph).map((message) => ({
        control: control.id,
        resource,
        message,
        exemption: candidates.find((exemption) => excuses(exemption, control, resource)),
      })),
    );
    return { control, checked, findings };
  });
  const findings = results.flatMap((result) => result.findings);
  const used = new Set(findings.map(({ exemption }) => exemption));
  return {
    results,
    violations: findings.filter(({ exemption }) => exemption === undefined),
    unusedExemptions: candidates.filter((exemption) => !used.has(exemption)),
  };
}

function excuses(exemption: Exemption, { id }: Control, resource: GraphResource): boolean {
  if (exemption.control !== id) return false;
  const parts = exemption.resource.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`).test(resource.name);
}
