import { describe, expect, it } from "vitest";
import { covers, deniesPlainHttp, foreignAccounts, type IamStatement, isPublic, statementsOf } from "../../controls/documents";

function statement(fields: Readonly<Record<string, unknown>>): IamStatement {
  const [parsed] = statementsOf({ Statement: { Effect: "Allow", Action: "s3:GetObject", Resource: "*", ...fields } }) ?? [];
  if (parsed === undefined) throw new Error("The statement was not parsed.");
  return parsed;
}

describe("statementsOf", () => {
  it.each([undefined, null, 7, "", "{", "[]", "null", []])("does not accept %j as a document", (document) => {
    expect(statementsOf(document)).toBeUndefined();
  });

  it("reads text, single values and lists", () => {
    const text = JSON.stringify({
      Statement: [{ Effect: "Deny", Action: ["S3:*"], Resource: "a", Principal: { AWS: ["x", "y"], Service: "z" } }],
    });
    expect(statementsOf(text)).toEqual([
      { sid: "statement 1", allows: false, actions: ["s3:*"], resources: ["a"], principals: ["x", "y", "z"], conditions: [] },
    ]);
  });

  it("treats everything except a list as everything", () => {
    const parsed = statement({
      Action: undefined,
      NotAction: "iam:*",
      Resource: undefined,
      NotResource: "a",
      NotPrincipal: { AWS: "b" },
    });
    expect(parsed).toMatchObject({ actions: ["*"], resources: ["*"], principals: ["*"] });
  });
});

describe("isPublic", () => {
  it.each([
    { why: "a star", fields: { Principal: "*" }, is: true },
    { why: "any AWS principal", fields: { Principal: { AWS: "*" } }, is: true },
    { why: "everyone but one", fields: { NotPrincipal: { AWS: "arn:aws:iam::111122223333:root" } }, is: true },
    { why: "a condition on the path", fields: { Principal: "*", Condition: { StringLike: { "s3:prefix": "a" } } }, is: true },
    { why: "any source account", fields: { Principal: "*", Condition: { StringLike: { "aws:SourceAccount": "*" } } }, is: true },
    {
      why: "an absent source",
      fields: { Principal: "*", Condition: { StringEqualsIfExists: { "aws:SourceArn": "a" } } },
      is: true,
    },
    {
      why: "every source but one",
      fields: { Principal: "*", Condition: { StringNotEquals: { "aws:SourceAccount": "1" } } },
      is: true,
    },
    { why: "a service", fields: { Principal: { Service: "sns.amazonaws.com" } }, is: false },
    { why: "one source", fields: { Principal: "*", Condition: { ArnLike: { "AWS:SourceArn": "arn:aws:s3:::a" } } }, is: false },
    {
      why: "an organisation",
      fields: { Principal: "*", Condition: { StringEquals: { "aws:PrincipalOrgID": "o-1" } } },
      is: false,
    },
    { why: "a denial", fields: { Effect: "Deny", Principal: "*" }, is: false },
  ])("is $is for $why", ({ fields, is }) => {
    expect(isPublic(statement(fields))).toBe(is);
  });
});

describe("foreignAccounts", () => {
  it.each([
    { principal: { AWS: "arn:aws:iam::111122223333:role/a" }, accounts: [] },
    { principal: { AWS: ["999988887777", "arn:aws:iam::444455556666:user/b"] }, accounts: ["999988887777", "444455556666"] },
    { principal: { Service: "logs.amazonaws.com" }, accounts: [] },
    { principal: "*", accounts: [] },
  ])("of $principal are $accounts", ({ principal, accounts }) => {
    expect(foreignAccounts(statement({ Principal: principal }), "111122223333")).toEqual(accounts);
    expect(foreignAccounts(statement({ Principal: principal, Effect: "Deny" }), "111122223333")).toEqual([]);
  });
});

describe("covers", () => {
  it.each([
    { pattern: "*", action: "s3:getobject", is: true },
    { pattern: "s3:get*", action: "s3:getobject", is: true },
    { pattern: "s3:getobjec?", action: "s3:getobject", is: true },
    { pattern: "s3:get", action: "s3:getobject", is: false },
    { pattern: "s3.getobject", action: "s3:getobject", is: false },
    { pattern: "(s3:getobject", action: "s3:getobject", is: false },
  ])("$pattern on $action: $is", ({ pattern, action, is }) => {
    expect(covers(pattern, action)).toBe(is);
  });
});

describe("deniesPlainHttp", () => {
  const whole = {
    Effect: "Deny",
    Principal: "*",
    Action: "s3:*",
    Resource: ["a", "a/*"],
    Condition: { Bool: { "aws:SecureTransport": "false" } },
  };
  const denies = (...all: readonly Readonly<Record<string, unknown>>[]) =>
    deniesPlainHttp(statementsOf({ Statement: all }) ?? [], "s3:getobject", ["a", "a/key"]);

  it("holds for one statement about everything, and for two that together cover it", () => {
    expect(denies(whole)).toBe(true);
    expect(denies({ ...whole, Resource: "a" }, { ...whole, Resource: "a/*" })).toBe(true);
  });

  it.each([
    { why: "allows", change: { Effect: "Allow" } },
    { why: "one principal", change: { Principal: { AWS: "b" } } },
    { why: "another action", change: { Action: "s3:PutObject" } },
    { why: "the bucket alone", change: { Resource: "a" } },
    { why: "TLS itself", change: { Condition: { Bool: { "aws:SecureTransport": "true" } } } },
    {
      why: "a second condition",
      change: { Condition: { Bool: { "aws:SecureTransport": "false" }, StringEquals: { "aws:SourceAccount": "1" } } },
    },
  ])("does not hold for a statement about $why", ({ change }) => {
    expect(denies({ ...whole, ...change })).toBe(false);
  });
});
