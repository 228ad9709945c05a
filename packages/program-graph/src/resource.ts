/** A resource as the program registers it, and what the evaluation needs to know about its type. */

export interface GraphResource {
  readonly urn: string;
  readonly type: string;
  readonly name: string;
  readonly parent: string | undefined;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly id: string;
  /** Inputs and the outputs that the provider would add (`arn`, `id`, `name`, …). */
  readonly state: Readonly<Record<string, unknown>>;
  /** URNs this resource depends on. */
  readonly dependsOn: readonly string[];
  readonly protect: boolean;
  readonly ignoreChanges: readonly string[];
  /** Names of inputs that are marked as secrets. */
  readonly secretInputs: readonly string[];
}

/** One resource type of a provider. An input that is neither in `honoured` nor in `cloudOnly` fails the evaluation by name. */
export interface ResourceType {
  /** Pulumi type token, e.g. `aws:kinesis/stream:Stream`. */
  readonly type: string;
  /** Inputs with a local effect. */
  readonly honoured: readonly string[];
  /** Inputs that change nothing on one machine, each with the reason. */
  readonly cloudOnly: Readonly<Record<string, string>>;
  /** Deterministic provider outputs; no side effects, called while the program is evaluated. Throws for a name the service refuses. */
  outputs(args: {
    readonly name: string;
    readonly inputs: Readonly<Record<string, unknown>>;
    readonly region: string;
    readonly accountId: string;
  }): { readonly id: string; readonly state: Readonly<Record<string, unknown>> };
}
