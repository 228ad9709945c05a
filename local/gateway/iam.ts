export * from "./permissions/iam";
