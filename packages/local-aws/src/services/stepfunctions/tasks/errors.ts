/** Errors of services as Step Functions names them. */
import { AwsError } from "../../../contracts";
import { StatesError } from "../language/errors";

/** `prefix` of the error names, and the name that stands for every error which the service's model does not have. */
export interface ErrorNames {
  readonly prefix: string;
  readonly generic: string;
}

/** Of the optimised integrations. */
export const errorNames = {
  lambda: { prefix: "Lambda", generic: "AWSLambdaException" },
  glue: { prefix: "Glue", generic: "AWSGlueException" },
  sageMaker: { prefix: "SageMaker", generic: "AmazonSageMakerException" },
  sns: { prefix: "SNS", generic: "AmazonSNSException" },
} as const;

/** Codes that AWS services share; no service's model has them. */
const common =
  /^(AccessDenied|UnauthorizedOperation|AuthorizationError|Throttling|TooManyRequests$|RequestLimit|Validation|InternalFailure|InternalError|InternalServerError|ServiceUnavailable|Serialization|UnknownOperation|Unsupported|InvalidAction|MissingParameter)/;

/** Runs `work` and renames what a service refuses: `Glue.ConcurrentRunsExceededException`. */
export async function withNames<T>(names: ErrorNames, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof AwsError) throw statesError(names, error);
    throw error;
  }
}

export function statesError(names: ErrorNames, { code, message, status }: AwsError): StatesError {
  const own = code.replace(/^.*[#.]/, "");
  const modelled = own.endsWith("Exception") ? own : `${own}Exception`;
  const name = common.test(own) ? names.generic : modelled;
  return new StatesError(`${names.prefix}.${name}`, `${message} (Status Code: ${status}, Error Code: ${own})`);
}

/** Errors that may go away when the call is repeated; 501 is something that the local runtime can't do at all. */
export const isTransient = ({ code, status }: AwsError): boolean =>
  (status >= 500 && status !== 501) || /Throttl|TooManyRequests|RequestLimit/.test(code);
