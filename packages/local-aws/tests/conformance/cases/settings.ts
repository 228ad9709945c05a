import { GetSecretValueCommand } from "@aws-sdk/client-secrets-manager";
import { GetParameterCommand, GetParameterHistoryCommand, GetParametersCommand, PutParameterCommand } from "@aws-sdk/client-ssm";
import type { Case } from "../sides";

export const settings: readonly Case[] = [
  {
    name: "a parameter is written, overwritten and read, with its versions",
    run: async ({ ssm, refused }) => {
      const Name = "/conformance/one";
      await ssm.send(new PutParameterCommand({ Name, Value: "1", Type: "String", Description: "first" }));
      await refused(ssm.send(new PutParameterCommand({ Name, Value: "2", Type: "String" })));
      await ssm.send(new PutParameterCommand({ Name, Value: "2", Type: "String", Overwrite: true }));
      await ssm.send(new GetParameterCommand({ Name }));
      await ssm.send(new GetParameterCommand({ Name: `${Name}:1` }));
      await refused(ssm.send(new GetParameterCommand({ Name: `${Name}:9` })));
      await ssm.send(new GetParameterHistoryCommand({ Name }));
      await ssm.send(new GetParametersCommand({ Names: [Name, "/conformance/none"] }));
    },
  },
  {
    name: "a secret parameter is told when decryption is asked for",
    run: async ({ ssm, note }) => {
      const Name = "/conformance/secret";
      await ssm.send(new PutParameterCommand({ Name, Value: "hidden", Type: "SecureString" }));
      const sealed = await ssm.send(new GetParametersCommand({ Names: [Name] }));
      note(sealed.Parameters?.[0]?.Value === "hidden");
      await ssm.send(new GetParameterCommand({ Name, WithDecryption: true }));
    },
  },
  {
    name: "wrong parameters are refused",
    run: async ({ ssm, refused }) => {
      const put = (input: Partial<ConstructorParameters<typeof PutParameterCommand>[0]>) =>
        refused(ssm.send(new PutParameterCommand({ Name: "/strict/one", Value: "1", Type: "String", ...input })));
      await put({ Value: "x".repeat(4097) });
      await put({ Type: "Text" as "String" });
      await put({ Name: "strict/no-slash" });
      await put({ Name: "/strict/with space" });
      await put({ Name: "/aws/own" });
      await put({ Value: "" });
      await refused(ssm.send(new GetParameterCommand({ Name: "/strict/none" })));
      await refused(ssm.send(new GetParameterHistoryCommand({ Name: "/strict/none" })));
      const Names = Array.from({ length: 11 }, (_, index) => `/strict/${index}`);
      await refused(ssm.send(new GetParametersCommand({ Names })));
    },
  },
  {
    name: "a secret is read by name",
    run: async ({ given, secrets, refused }) => {
      await given.secret("conformance-secret", "first");
      const SecretId = "conformance-secret";
      await secrets.send(new GetSecretValueCommand({ SecretId }));
      await refused(secrets.send(new GetSecretValueCommand({ SecretId: "none" })));
    },
  },
];
