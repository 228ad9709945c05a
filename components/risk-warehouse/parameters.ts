/** Parameters of the workgroup: the required values, and a check of what AWS reports. */

/** Key and value. */
export const WORKGROUP_PARAMETERS = {
  require_ssl: "true",
  // Without it the activity log that the namespace exports stays empty.
  enable_user_activity_logging: "true",
} as const;

interface Parameter {
  readonly parameterKey: string;
  readonly parameterValue: string;
}

/**
 * The resource ignores changes of its parameters: AWS returns more of them than were set, the provider takes the others for a change,
 * and the update fails with "You didn't specify any changes" (pulumi-aws #4405, terraform-provider-aws #33692, #49939). Instead this
 * checks what AWS last returned, at creation or at a refresh.
 * @param parameters the resource's output, in any order
 * @throws Error with each parameter that differs and the commands that set it
 */
export function checkParameters(workgroupName: string, parameters: readonly Parameter[]): void {
  const wrong = Object.entries(WORKGROUP_PARAMETERS).flatMap(([key, expected]) => {
    const got = parameters.find(({ parameterKey }) => parameterKey === key)?.parameterValue;
    return got === expected ? [] : [{ key, expected, got: got ?? "nothing" }];
  });
  if (wrong.length === 0) return;
  const set = wrong.map(({ key, expected }) => `parameterKey=${key},parameterValue=${expected}`).join(" ");
  throw new Error(
    `Workgroup "${workgroupName}": expected ${wrong.map(({ key, expected, got }) => `${key} ${expected}, AWS has ${got}`).join("; ")}. ` +
      `Fix: aws redshift-serverless update-workgroup --workgroup-name ${workgroupName} --config-parameters ${set}, then pulumi refresh`,
  );
}
