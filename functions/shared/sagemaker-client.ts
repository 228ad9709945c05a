import { InvokeEndpointCommand, SageMakerRuntimeClient } from "@aws-sdk/client-sagemaker-runtime";
import { clientConfig, FAST } from "./clients";
import type { EndpointClient } from "./endpoint-invoker";

/** One attempt per call: the model that uses the client retries within its own time limit. */
export function createEndpointClient(): EndpointClient {
  const client = new SageMakerRuntimeClient(clientConfig({ ...FAST, requestTimeoutMs: 10_000, maxAttempts: 1 }));
  return {
    async send({ endpointName, contentType, body }, signal) {
      const command = new InvokeEndpointCommand({
        EndpointName: endpointName,
        ContentType: contentType,
        Accept: contentType,
        Body: new TextEncoder().encode(body),
      });
      const answer = await client.send(command, { abortSignal: signal });
      return new TextDecoder().decode(answer.Body);
    },
  };
}
