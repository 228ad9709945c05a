import { PutParameterCommand, SSMClient } from "@aws-sdk/client-ssm";
import { AssumeRoleCommand, STSClient } from "@aws-sdk/client-sts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type SmallPlatform, smallPlatform } from "../endpoint/small-platform";

const ACCOUNT = "000000000000";
const arnOf = (name: string) => `arn:aws:iam::${ACCOUNT}:role/${name}`;
const trusting = (AWS: string, Effect = "Allow") => ({ Effect, Principal: { AWS }, Action: "sts:AssumeRole" });

let platform: SmallPlatform;
beforeAll(async () => {
  platform = await smallPlatform();
  const { iam } = platform;
  iam.putRole("open", arnOf("open"), { Statement: [trusting(`arn:aws:iam::${ACCOUNT}:root`)] });
  iam.putInlinePolicy("open", "p", { Statement: { Effect: "Allow", Action: "ssm:PutParameter", Resource: "*" } });
  iam.putRole("named", arnOf("named"), { Statement: [trusting(arnOf("friend"))] });
  iam.putRole("refusing", arnOf("refusing"), { Statement: [trusting("*"), trusting(arnOf("friend"), "Deny")] });
});
afterAll(() => platform.end());

type Keys = Parameters<SmallPlatform["client"]>[0];
const assume = (role: string, from: ReturnType<SmallPlatform["client"]> = platform.client(), session = "redrive") =>
  new STSClient(from).send(new AssumeRoleCommand({ RoleArn: arnOf(role), RoleSessionName: session }));
const mayAssume = (...roles: string[]) => [{ Effect: "Allow", Action: "sts:AssumeRole", Resource: roles.map(arnOf) }];

describe("AssumeRole", () => {
  it("gives the owner a session that may do what the role may, and no more", async () => {
    const { Credentials, AssumedRoleUser } = await assume("open");
    expect(AssumedRoleUser?.Arn).toBe(`arn:aws:sts::${ACCOUNT}:assumed-role/open/redrive`);
    expect(Credentials?.Expiration?.getTime()).toBeGreaterThan(Date.now());
    const keys: Keys = {
      accessKeyId: Credentials?.AccessKeyId ?? "",
      secretAccessKey: Credentials?.SecretAccessKey ?? "",
      sessionToken: Credentials?.SessionToken ?? "",
    };
    const put = new PutParameterCommand({ Name: "/assumed", Type: "String", Value: "1" });
    await new SSMClient(platform.client(keys)).send(put);
    await expect(assume("named", platform.client(keys))).rejects.toMatchObject({ name: "AccessDenied" });
  });

  it("asks both policies where the trust policy leaves it to the account", async () => {
    await expect(assume("open", platform.roleClient("stranger", []))).rejects.toMatchObject({
      name: "AccessDenied",
      message: `User: arn:aws:sts::${ACCOUNT}:assumed-role/stranger/fn is not authorized to perform: sts:AssumeRole on resource: ${arnOf("open")}`,
    });
    expect((await assume("open", platform.roleClient("allowed", mayAssume("open")))).Credentials).toBeDefined();
  });

  it("asks only the trust policy where that names the caller, unless one of the two denies", async () => {
    expect((await assume("named", platform.roleClient("friend", []))).Credentials).toBeDefined();
    await expect(assume("named")).rejects.toMatchObject({ name: "AccessDenied" });
    await expect(assume("refusing", platform.roleClient("friend", []))).rejects.toMatchObject({ name: "AccessDenied" });
    const denied = [{ Effect: "Deny", Action: "sts:AssumeRole", Resource: "*" }];
    await expect(assume("named", platform.roleClient("friend", denied))).rejects.toMatchObject({ name: "AccessDenied" });
  });

  it("refuses a role that doesn't exist as if it were forbidden, and a bad name of the session", async () => {
    await expect(assume("missing")).rejects.toMatchObject({ name: "AccessDenied" });
    await expect(assume("open", platform.client(), "two words")).rejects.toThrow("RoleSessionName must have 2 to 64 characters");
  });
});
