/** Controls that can't be checked on a resource graph, each with the reason. */
export interface NotApplicable {
  readonly control: string;
  readonly reason: string;
}

export const notApplicable: readonly NotApplicable[] = [
  {
    control: "S3.1",
    reason: "A setting of the account, not of a stack; S3.8 checks the same four switches on every bucket.",
  },
  {
    control: "Glue.3",
    reason: "The provider has no input for the encryption of ML transforms, so the platform may not use any.",
  },
  {
    control: "SageMaker jobs in a VPC",
    reason:
      "Containers of jobs have no network at all (SageMaker.training, SageMaker.models); a VPC would carry SageMaker's own transfers only, and ask EC2 rights of its roles.",
  },
];
