import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Iam } from "../../src/permissions/iam";
import { evaluateIdentity, parsePolicy } from "../../src/permissions/policy";
import { literalPattern, matchesWildcard, unescaped } from "../../src/permissions/wildcard";

const question = (action: string, resource: string, context: Record<string, string> = {}) => ({ action, resource, context });
const verdict = (statements: object[], action: string, resource: string, context = {}, Version = "2012-10-17") =>
  evaluateIdentity([parsePolicy({ Version, Statement: statements }, "test", "identity")], question(action, resource, context));

describe("identity policies", () => {
  const allow = { Effect: "Allow", Action: "dynamodb:*Item", Resource: "arn:aws:dynamodb:*:*:table/t" };
  it.each([
    ["allow", [allow], "dynamodb:PutItem", "arn:aws:dynamodb:us-east-1:1:table/t"],
    ["implicit-deny", [allow], "dynamodb:Query", "arn:aws:dynamodb:us-east-1:1:table/t"],
    ["implicit-deny", [allow], "dynamodb:PutItem", "arn:aws:dynamodb:us-east-1:1:table/t/index/i"],
    [
      "explicit-deny",
      [allow, { Effect: "Deny", Action: "*", Resource: "*" }],
      "dynamodb:PutItem",
      "arn:aws:dynamodb:us-east-1:1:table/t",
    ],
    ["allow", [{ Effect: "Allow", NotAction: "iam:*", Resource: "*" }], "s3:GetObject", "x"],
    ["implicit-deny", [{ Effect: "Allow", NotAction: "iam:*", Resource: "*" }], "iam:PassRole", "x"],
    ["allow", [{ Effect: "Allow", Action: "s3:*", NotResource: "a*" }], "s3:GetObject", "b"],
    ["implicit-deny", [{ Effect: "Allow", Action: "s3:*", NotResource: "a*" }], "s3:GetObject", "ab"],
  ] as const)("%s: %j", (wanted, statements, action, resource) => {
    expect(verdict([...statements], action, resource)).toBe(wanted);
  });

  it.each([
    [{ StringEquals: { k: ["a", "b"] } }, { k: "b" }, true],
    [{ StringEquals: { k: "a" } }, {}, false],
    [{ StringNotEquals: { k: "a" } }, {}, true],
    [{ StringNotEquals: { k: ["a", "b"] } }, { k: "b" }, false],
    [{ StringLike: { k: "ab*" } }, { K: "abc" }, true],
    [{ ArnLike: { k: "arn:aws:s3:::b*" } }, { k: "arn:aws:s3:::bucket" }, true],
    [{ Bool: { k: "false" } }, { k: "true" }, false],
    [{ StringEqualsIfExists: { k: "a" } }, {}, true],
    [{ NumericLessThanEquals: { k: "10" } }, { k: "10" }, true],
    [{ Null: { k: "true" } }, {}, true],
    [{ Null: { k: "true" } }, { k: "x" }, false],
    [{ DateGreaterThan: { k: "2020-01-01T00:00:00Z" } }, { k: "2021-01-01T00:00:00Z" }, true],
    [{ ArnNotLike: { k: "arn:aws:s3:::b*" } }, { k: "arn:aws:s3:::bucket" }, false],
    [{ StringNotLike: { k: "ab*" } }, { k: "b" }, true],
    [{ "ForAnyValue:StringEquals": { k: "a" } }, {}, false],
    [{ "ForAnyValue:StringNotEquals": { k: "a" } }, {}, false],
    [{ "ForAnyValue:StringNotEqualsIfExists": { k: "a" } }, {}, true],
    [{ "ForAllValues:StringEquals": { k: "a" } }, {}, true],
    [{ StringLike: { k: `a\${*}` } }, { k: "a*" }, true],
    [{ StringLike: { k: `a\${*}` } }, { k: "ab" }, false],
    [{ StringEquals: { k: `\${*}\${?}\${$}` } }, { k: "*?$" }, true],
    [{ StringLike: { k: `\${aws:PrincipalArn}` } }, { k: "b", "aws:PrincipalArn": "*" }, false],
  ])("condition %j with %j: %s", (Condition, context, holds) => {
    const result = verdict([{ Effect: "Allow", Action: "*", Resource: "*", Condition }], "a:b", "r", context);
    expect(result).toBe(holds ? "allow" : "implicit-deny");
  });

  it.each([
    [
      { Effect: "Allow", Action: "a:b", Resource: "*", Condition: { IpAddress: { k: "x" } } },
      /operator 'IpAddress' is not supported/,
    ],
    [{ Effect: "Allow", Action: "a:b", Resource: `arn:\${aws:username}` }, /variable '\$\{aws:username\}' is not supported/],
    [{ Effect: "Allow", Action: "a:b", Resource: "*", NotPrincipal: "*" }, /'NotPrincipal' is not supported/],
    [{ Effect: "Maybe", Action: "a:b", Resource: "*" }, /Effect must be/],
    [{ Effect: "Allow", Resource: "*" }, /either Action or NotAction/],
    [{ Effect: "Allow", Action: "a:b" }, /expected Resource or NotResource/],
    [{ Effect: "Allow", Action: "a:b", Resource: "*", Principal: "*" }, /an identity policy has no Principal/],
  ])("refuses %j", (statement, message) => {
    expect(() => parsePolicy({ Version: "2012-10-17", Statement: statement }, "p", "identity")).toThrow(message);
  });

  it.each([
    ["trust", { Effect: "Allow", Action: "sts:AssumeRole" }, /a trust policy needs a Principal/],
    ["trust", { Effect: "Allow", Action: "sts:AssumeRole", Principal: "*", Resource: "*" }, /a trust policy has no Resource/],
    ["resource", { Effect: "Allow", Action: "s3:GetObject", Resource: "*" }, /a resource policy needs a Principal/],
  ] as const)("a %s policy refuses %j", (kind, statement, message) => {
    expect(() => parsePolicy({ Statement: statement }, "p", kind)).toThrow(message);
  });

  it("an unknown version is refused", () => {
    expect(() => parsePolicy({ Version: "2012-10-18", Statement: [] }, "p", "identity")).toThrow(/Version must be "2012-10-17"/);
  });

  it("variables and escapes are plain text in a policy of the version before them", () => {
    const allow = [{ Effect: "Allow", Action: "a:b", Resource: `r/\${aws:PrincipalAccount}*` }];
    const context = { "aws:PrincipalAccount": "1" };
    expect(verdict(allow, "a:b", "r/1x", context)).toBe("allow");
    expect(verdict(allow, "a:b", "r/1x", context, "2008-10-17")).toBe("implicit-deny");
    expect(verdict(allow, "a:b", `r/\${aws:PrincipalAccount}x`, context, "2008-10-17")).toBe("allow");
  });

  it("explicit deny always wins", () => {
    const statement = fc.record({
      Effect: fc.constantFrom("Allow", "Deny"),
      Action: fc.constantFrom("a:b", "a:*", "c:d"),
      Resource: fc.constant("*"),
    });
    fc.assert(
      fc.property(fc.array(statement, { minLength: 1 }), (statements) => {
        const applying = statements.filter((candidate) => candidate.Action !== "c:d");
        const wanted = applying.some(({ Effect }) => Effect === "Deny")
          ? "explicit-deny"
          : applying.length > 0
            ? "allow"
            : "implicit-deny";
        expect(verdict(statements, "a:b", "r")).toBe(wanted);
      }),
    );
  });

  it("a literal pattern matches its text alone", () => {
    const text = fc.string({ unit: fc.constantFrom("*", "?", "$", "{", "}", "a") });
    fc.assert(
      fc.property(text, text, (one, other) => {
        expect(matchesWildcard(literalPattern(one), other)).toBe(one === other);
        expect(unescaped(literalPattern(one))).toBe(one);
      }),
    );
  });

  it("wildcards match what they replaced", () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.string(),
        fc.string(),
        (a, b, c) => matchesWildcard("*", a + b) && matchesWildcard(`${a.replace(/[*?]/g, "?")}*`, a + b + c),
      ),
    );
  });
});

describe("resource policies", () => {
  it("of a key decide whether IAM policies count for it", () => {
    const iam = new Iam("000000000000", "us-east-1");
    iam.putRole("r", "arn:aws:iam::000000000000:role/r", {
      Statement: { Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" },
    });
    iam.putInlinePolicy("r", "p", { Statement: { Effect: "Allow", Action: "kms:Decrypt", Resource: "*" } });
    const principal = { kind: "role", arn: "arn:aws:sts::000000000000:assumed-role/r/f", roleName: "r" } as const;
    const key = "arn:aws:kms:us-east-1:000000000000:key/1";
    const permission = { action: "kms:Decrypt", resource: key };
    const keyPolicy = (AWS: string) =>
      iam.setResourcePolicy(key, { Statement: { Effect: "Allow", Principal: { AWS }, Action: "kms:*", Resource: "*" } });
    keyPolicy("arn:aws:iam::000000000000:role/admin");
    expect(iam.authorize(principal, permission)).toMatchObject({
      allowed: false,
      reason: expect.stringContaining("because no resource-based policy allows the kms:Decrypt action"),
    });
    keyPolicy("arn:aws:iam::000000000000:root");
    expect(iam.authorize(principal, permission)).toEqual({ allowed: true });
    expect(iam.authorize(principal, { ...permission, action: "kms:Encrypt" })).toMatchObject({
      allowed: false,
      reason: expect.stringContaining("no identity-based policy"),
    });
  });

  it("of a bucket deny its objects, and TLS-only statements do not block loopback", () => {
    const iam = new Iam("000000000000", "us-east-1");
    iam.putRole("r", "arn:aws:iam::000000000000:role/r", {
      Statement: { Effect: "Allow", Principal: { Service: "lambda.amazonaws.com" }, Action: "sts:AssumeRole" },
    });
    iam.putInlinePolicy("r", "p", { Statement: { Effect: "Allow", Action: "s3:*", Resource: "*" } });
    const principal = { kind: "role", arn: "arn:aws:sts::000000000000:assumed-role/r/f", roleName: "r" } as const;
    const permission = { action: "s3:GetObject", resource: "arn:aws:s3:::b/k" };
    iam.setResourcePolicy("arn:aws:s3:::b", {
      Statement: {
        Effect: "Deny",
        Principal: "*",
        Action: "s3:*",
        Resource: "*",
        Condition: { Bool: { "aws:SecureTransport": "false" } },
      },
    });
    expect(iam.authorize(principal, permission)).toEqual({ allowed: true });
    iam.setResourcePolicy("arn:aws:s3:::b", {
      Statement: { Effect: "Deny", Principal: "*", Action: "s3:GetObject", Resource: "arn:aws:s3:::b/*" },
    });
    expect(iam.authorize(principal, permission)).toMatchObject({
      allowed: false,
      reason: expect.stringContaining("explicit deny in a resource-based policy"),
    });
    expect(iam.assumableBy("r", "lambda.amazonaws.com")).toBe(true);
    expect(iam.assumableBy("r", "ec2.amazonaws.com")).toBe(false);
  });
});
