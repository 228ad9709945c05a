/** AWS Step Functions: Standard workflows of the deployed definitions, their executions and histories. */

import { messageOf } from "@risk/program-graph";
import { AwsError, type AwsService, type DeliverOptions, type LocalContext, type Part } from "../../contracts";
import { roleNameOf } from "../../endpoint/credentials";
import type { Iam } from "../../permissions/iam";
import { MACHINE_KEY_NEED } from "../../permissions/key-use";
import type { DeliverRegistry } from "../deliver";
import type { EventsService } from "../events";
import { groupOfArn, type LogsService } from "../logs";
import { serviceOf } from "../messaging/operations";
import type { ServiceGate } from "../service-gate";
import type { MetricSink } from "../sqs";
import { checkName, Executions } from "./executions";
import { readDefinition } from "./language/definition";
import { type StateMachine, stepFunctionsOperations } from "./operations";
import { type Execution, ExecutionStore } from "./store";
import { type Perform, RoleCalls, rolePrincipal } from "./tasks/calls";
import { resolveIntegration } from "./tasks/integrations";
import { systemTimers, type Timers } from "./timers";

export interface StepFunctionsPorts {
  readonly iam: Pick<Iam, "assumableBy" | "authorize" | "role">;
  readonly registry: Pick<DeliverRegistry, "register">;
  readonly events: Pick<EventsService, "publish" | "envelope">;
  readonly logs: Pick<LogsService, "append" | "requireGroup">;
  readonly gate: Pick<ServiceGate, "permissionsOf" | "require">;
  readonly metrics: MetricSink;
  /** Authorises and carries out the calls that tasks make. */
  readonly perform: Perform;
}

export interface StepFunctionsOptions {
  readonly timers?: Timers;
  /** For the jitter of retries; default Math.random. */
  readonly random?: () => number;
  /** Between two polls of a job; default 250 ms. */
  readonly pollMs?: number;
}

export interface MachineSettings extends Omit<StateMachine, "arn" | "program"> {
  /** Key of the machine's data: id, ARN or alias; undefined for AWS's own. */
  readonly keyId: string | undefined;
}

/** Bytes of an execution's input. */
const maxInputBytes = 262_144;

const metricNames = {
  RUNNING: "ExecutionsStarted",
  SUCCEEDED: "ExecutionsSucceeded",
  FAILED: "ExecutionsFailed",
  TIMED_OUT: "ExecutionsTimedOut",
  ABORTED: "ExecutionsAborted",
};

export class StepFunctionsService implements AwsService {
  readonly name = "states";
  readonly permissions: AwsService["permissions"];
  readonly handle: AwsService["handle"];
  /** By ARN. */
  readonly machines = new Map<string, StateMachine>();
  readonly executions: Executions;
  private readonly store: ExecutionStore;
  private readonly timers: Timers;
  private stopping = false;

  constructor(
    private readonly context: LocalContext,
    private readonly ports: StepFunctionsPorts,
    options: StepFunctionsOptions = {},
  ) {
    this.timers = options.timers ?? systemTimers(context.clock);
    this.store = new ExecutionStore(context.db);
    this.executions = new Executions(context, this.store, {
      perform: ports.perform,
      timers: this.timers,
      random: options.random ?? Math.random,
      pollMs: options.pollMs ?? 250,
      changed: (execution) => this.announce(execution),
      writeLog: (groupArn, stream, line) => this.writeLog(groupOfArn(groupArn), stream, line),
    });
    const service = serviceOf({
      name: this.name,
      iamPrefix: "states",
      validationCode: "ValidationException",
      jsonVersion: "1.0",
      operations: stepFunctionsOperations({
        machine: (arn) => this.machine(arn),
        store: this.store,
        start: (machineArn, name, input) => this.start(machineArn, name, input),
      }),
    });
    this.permissions = service.permissions;
    this.handle = service.handle;
    ports.registry.register("states", (arn, payload, target) => this.deliver(arn, payload, target));
  }

  /** Ends before the services that executions use. */
  part(): Part {
    return {
      title: "Step Functions",
      start: () => this.executions.abortLeftOver("The platform stopped while the execution was running."),
      end: async () => {
        this.stopping = true;
        await this.executions.stopAll("The platform was stopped.");
      },
    };
  }

  arnOf(name: string): string {
    return `arn:aws:states:${this.context.region}:${this.context.accountId}:stateMachine:${name}`;
  }

  executionArn(machineName: string, name: string): string {
    return `arn:aws:states:${this.context.region}:${this.context.accountId}:execution:${machineName}:${name}`;
  }

  /**
   * Deploys a machine, or changes it: what runs already goes on with its own definition.
   * @throws DefinitionError, or Error naming the role's missing trust or permission.
   */
  deploy({ keyId, ...machine }: MachineSettings): void {
    const program = readDefinition(machine.definition, resolveIntegration);
    const { roleArn, logGroupArn } = machine;
    if (!this.ports.iam.assumableBy(roleNameOf(roleArn), "states.amazonaws.com"))
      throw new Error(`roleArn: ${roleArn} cannot be assumed by states.amazonaws.com; allow it in its assumeRolePolicy.`);
    const arn = this.arnOf(machine.name);
    if (logGroupArn !== undefined) this.checkLogging(roleArn, arn, logGroupArn);
    if (keyId !== undefined) this.checkKey(roleArn, arn, keyId, logGroupArn !== undefined);
    this.machines.set(arn, { ...machine, arn, program });
  }

  /** On AWS, executions without the key don't start, and logs that can't be decrypted vanish: both are reported here at once. */
  private checkKey(roleArn: string, arn: string, keyId: string, isLogged: boolean): void {
    const principal = { kind: "role", arn: roleArn, roleName: roleNameOf(roleArn) } as const;
    for (const permission of this.ports.gate.permissionsOf(MACHINE_KEY_NEED, undefined, arn, keyId)) {
      const decision = this.ports.iam.authorize(principal, permission);
      if (!decision.allowed) throw new Error(`encryptionConfiguration.kmsKeyId: ${decision.reason}`);
    }
    if (!isLogged) return;
    this.ports.gate.require({
      service: "delivery.logs.amazonaws.com",
      target: "state machine",
      targetArn: arn,
      sourceArn: arn,
      keyId,
    });
  }

  /** Ends what runs, then drops the machine with its executions (developer guide, DeleteStateMachine). */
  async deleteMachine(arn: string): Promise<void> {
    this.machines.delete(arn);
    for (const { arn: execution } of this.store.ofMachine(arn).filter(({ status }) => status === "RUNNING")) {
      this.executions.stop(execution, "The state machine was deleted.");
      await this.executions.settled(execution);
    }
    this.store.deleteOfMachine(arn);
  }

  private checkLogging(roleArn: string, arn: string, groupArn: string): void {
    this.ports.logs.requireGroup(groupOfArn(groupArn));
    const { trust, policies } = this.ports.iam.role(roleArn);
    const role = { arn: roleArn, trust, policies: [...policies.values()] };
    const place = { service: "states.amazonaws.com", target: "log group", targetArn: groupArn, sourceArn: arn } as const;
    this.ports.gate.require({ ...place, role });
  }

  /**
   * A running execution with the same name and input is returned.
   * @throws AwsError StateMachineDoesNotExist, InvalidExecutionInput, InvalidName, ExecutionAlreadyExists.
   */
  start(machineArn: string, name: string, input: string): Execution {
    const machine = this.machine(machineArn);
    if (this.stopping)
      throw new AwsError("ServiceUnavailableException", "The platform is stopping; start the execution again later.", 503);
    checkName(name);
    checkInput(input);
    const arn = this.executionArn(machine.name, name);
    const existing = this.store.find(arn);
    if (existing === undefined) return this.executions.start(machine, arn, name, input);
    if (existing.status === "RUNNING" && existing.input === input) return existing;
    throw new AwsError("ExecutionAlreadyExists", `Execution Already Exists: '${arn}'`);
  }

  private machine(arn: string): StateMachine {
    const found = this.machines.get(arn);
    if (found !== undefined) return found;
    throw new AwsError("StateMachineDoesNotExist", `State Machine Does Not Exist: '${arn}'`);
  }

  /** An event's target: started with the role of the target, named after the delivery so that a repetition starts nothing. */
  private async deliver(
    machineArn: string,
    payload: string,
    { roleArn, servicePrincipal = "events.amazonaws.com", deliveryId }: DeliverOptions,
  ): Promise<void> {
    if (roleArn === undefined)
      throw new AwsError("AccessDeniedException", `${machineArn} can only be started with a role; give the target a roleArn.`);
    if (!this.ports.iam.assumableBy(roleNameOf(roleArn), servicePrincipal))
      throw new AwsError(
        "AccessDeniedException",
        `The role ${roleArn} cannot be assumed by ${servicePrincipal}; allow it in its assumeRolePolicy.`,
      );
    const session = servicePrincipal.replace(/\..*$/, "");
    const calls = new RoleCalls(this.context, this.ports.perform, rolePrincipal(roleArn, session, this.context.accountId));
    const name = deliveryId === undefined ? {} : { name: deliveryId };
    try {
      await calls.call("states", "StartExecution", { stateMachineArn: machineArn, input: payload, ...name });
    } catch (error) {
      // An earlier attempt started the execution.
      if (error instanceof AwsError && error.code === "ExecutionAlreadyExists") return;
      throw error;
    }
  }

  /** A log that can't be written doesn't stop an execution. */
  private writeLog(group: string, stream: string, message: string): void {
    try {
      this.ports.logs.append(group, stream, [{ timestamp: this.timers.now(), message }]);
    } catch (error) {
      this.context.log(`Step Functions could not write to ${group}: ${messageOf(error)}`);
    }
  }

  /** Metrics and the event of a changed status. */
  private announce(execution: Execution): void {
    const dimensions = { StateMachineArn: execution.machineArn };
    const { status, startedMs, stoppedMs } = execution;
    this.ports.metrics("AWS/States", metricNames[status], dimensions, 1, "Count");
    if (stoppedMs !== undefined)
      this.ports.metrics("AWS/States", "ExecutionTime", dimensions, stoppedMs - startedMs, "Milliseconds");
    const { events } = this.ports;
    events.publish(
      "default",
      events.envelope({
        source: "aws.states",
        detailType: "Step Functions Execution Status Change",
        resources: [execution.arn],
        timeMs: stoppedMs ?? startedMs,
        detail: {
          executionArn: execution.arn,
          stateMachineArn: execution.machineArn,
          name: execution.name,
          status,
          startDate: startedMs,
          stopDate: stoppedMs ?? null,
          input: execution.input,
          inputDetails: { included: true },
          output: execution.output ?? null,
          outputDetails: execution.output === undefined ? null : { included: true },
          error: execution.error ?? null,
          cause: execution.cause ?? null,
        },
      }),
    );
  }
}

function checkInput(input: string): void {
  const bytes = Buffer.byteLength(input);
  if (bytes > maxInputBytes)
    throw new AwsError("InvalidExecutionInput", `Invalid Execution Input: ${bytes} bytes are more than ${maxInputBytes}.`);
  try {
    JSON.parse(input);
  } catch (error) {
    throw new AwsError("InvalidExecutionInput", `Invalid Execution Input: it is not JSON: ${String(error)}`);
  }
}
