/** The part of asl-validator that is used; the package ships no types. It adds members to the definition that it is given. */
declare module "asl-validator" {
  function validate(
    definition: Record<string, unknown>,
    options: { readonly checkPaths: boolean; readonly checkArn: boolean },
  ): { readonly isValid: boolean; errorsText(separator?: string): string };
  export = validate;
}
