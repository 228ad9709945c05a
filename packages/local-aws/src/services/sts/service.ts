/** Security Token Service: who am I. */
import type { AwsService, LocalContext } from "../../contracts";
import { serviceOf } from "../messaging/operations";

export function stsService({ accountId }: Pick<LocalContext, "accountId">): AwsService {
  return serviceOf({
    name: "sts",
    iamPrefix: "sts",
    validationCode: "ValidationError",
    jsonVersion: "1.1",
    queryNamespace: "https://sts.amazonaws.com/doc/2011-06-15/",
    operations: {
      GetCallerIdentity: {
        fields: [],
        // AWS lets every signed caller ask who it is.
        resource: () => [],
        run: (_, { principal }) => ({
          Arn: principal.arn,
          UserId: principal.kind === "owner" ? accountId : `AROALOCAL:${principal.arn.split("/").at(-1)}`,
          Account: accountId,
        }),
      },
    },
  });
}
