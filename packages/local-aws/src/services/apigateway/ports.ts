/** What the gateway needs from other services. */
import type { Principal } from "../../contracts";
import type { SignedRequest } from "../../endpoint/signature-claim";

export interface ApiPorts {
  /** Invokes with the right of a resource policy; rejects with an AwsError when there is none or the function is throttled. */
  readonly invoke: (
    functionArn: string,
    payload: string,
    caller: { readonly principal: string; readonly sourceArn: string },
    traceId: string,
  ) => Promise<{ readonly payload: string; readonly functionError: string | undefined; readonly requestId: string }>;
  /** Verifies a signature of service `execute-api`. @throws AwsError. */
  readonly verify: (request: SignedRequest) => Principal | Promise<Principal>;
  readonly isAllowed: (principal: Principal, action: string, resource: string) => boolean;
  readonly writeLog: (groupArn: string, stream: string, message: string) => void;
  readonly metric: (
    name: string,
    value: number,
    unit: "Count" | "Milliseconds",
    dimensions: Readonly<Record<string, string>>,
  ) => void;
}
