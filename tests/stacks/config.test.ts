import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { DEFAULT_RATES } from "../../functions/scoring/core/default-rates";
import { type RateDocument, readRates } from "../../functions/scoring/core/rates";
import { PROFILES } from "../../functions/scoring/profiles";
import { ConfigError, parseConfig } from "../../stacks/config";
import { SETTINGS, type Setting } from "../../stacks/settings";
import { ROOT, stackValues } from "../helpers/recorder";

function problemsOf(overrides: Record<string, string | undefined>): readonly string[] {
  try {
    parseConfig("dev", stackValues("dev", overrides));
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe("parseConfig", () => {
  it("reads the dev stack with its defaults", () => {
    const config = parseConfig("dev", stackValues("dev"));
    expect(config).toMatchObject({
      environment: "dev",
      region: "us-east-1",
      tracing: false,
      "fraud.shards": 1,
      "api.auth": "apiKey",
      "api.throttleRate": 100,
      "api.throttleBurst": 200,
      "lead.routeAlertScore": 95,
      "fraud.policy": PROFILES.fraud.defaultPolicy,
    });
    expect(Object.isFrozen(config)).toBe(true);
  });

  it.each([
    [
      "risk:fraud.shards",
      "0",
      'risk:fraud.shards: expected a whole number from 1 to 1000, got "0". Fix: pulumi config set --path risk:fraud.shards 1 --stack dev',
    ],
    ["risk:fraud.shards", "2.5", "a whole number from 1 to 1000"],
    ["risk:tracing", "yes", 'expected true or false, got "yes". Fix: pulumi config set risk:tracing true --stack dev'],
    ["risk:api.auth", "basic", "one of apiKey, iam, cognito, none"],
    ["risk:notificationEmail", "nobody", "an e-mail address"],
    [
      "risk:notificationEmail",
      undefined,
      "got nothing. Fix: pulumi config set risk:notificationEmail risk-team@example.com --stack dev",
    ],
    ["risk:logRetentionDays", "8", "one of 1, 3, 5, 7"],
    ["aws:region", "moon", "an AWS region"],
    ["risk:warehouse.adminUsername", "admin", "neither admin nor awsuser"],
    ["risk:warehouse.databaseName", "dev", "not dev"],
    ["risk:warehouse.baseCapacityRpu", "12", "in steps of 8"],
    ["risk:warehouse.loadSchedule", "rate(1 minutes)", "rate(1 minute)"],
    ["risk:fraud.shard", "2", 'Did you mean "fraud.shards"? Fix: pulumi config rm --path risk:fraud.shard --stack dev'],
    ["risk:fraud.readCapacityMax", "1", "at least fraud.readCapacity (5)"],
    ["risk:api.auth", "cognito", "a user pool, since api.auth is cognito"],
    ["risk:lead.routeAlertScore", "70", "at least lead.routeLogScore (80)"],
    ["risk:fraud.parallelization", "10", undefined],
    ["risk:fraud.shards", "11", "at least fraud.shards × fraud.parallelization (11)"],
    ["risk:fraud.retentionHours", "168", "at most 24, since older records are given up after fraud.maxAgeSeconds"],
    ["risk:fraud.maxRetries", "-2", "a whole number from -1 to 10000"],
    ["risk:fraud.capacityMode", "fast", "one of provisioned, onDemand"],
    // A throttled cold start has to end within it.
    ["risk:api.timeoutSeconds", "9", "a whole number from 10 to 900"],
    [
      "risk:api.reservedConcurrency",
      "100",
      'at most the 100 executions of api.reservedConcurrency, as a request that finds none is answered with 500, got "200". Fix: pulumi config set --path risk:api.throttleBurst 100',
    ],
    [
      "risk:api.reservedConcurrency",
      "300",
      'sets 1846 executions aside (api.reservedConcurrency 1800, fraud.reservedConcurrency 20, warehouse.enabled 2, pipelines.datasets 15, inference.mapConcurrency 9) and accountConcurrencyLimit 1000 less the 100 that Lambda keeps for other functions leaves 900, got "300". Fix: pulumi config set --path risk:api.reservedConcurrency 142',
    ],
    ["risk:api.provisionedConcurrency", "400", "Fix: pulumi config set --path risk:api.provisionedConcurrency 284 --stack dev"],
    ["risk:accountConcurrencyLimit", "10", 'leaves 0, got "true". Fix: pulumi config set risk:reserveConcurrency false'],
    ["risk:accountConcurrencyLimit", "230", "at most the 184 executions of accountConcurrencyLimit"],
    ["risk:fraud.shards", "2000", "Fix: pulumi config set --path risk:fraud.shards 1000 --stack dev"],
    ["risk:warehouse.baseCapacityRpu", "12", "Fix: pulumi config set --path risk:warehouse.baseCapacityRpu 16 --stack dev"],
    ["risk:fraud.memoryMb", undefined, "a whole number from 128 to 10240 (Memory of the stream function in MB), got nothing"],
    ["risk:lead.routeLogScore", "97", "Fix: pulumi config set --path risk:lead.routeAlertScore 97 --stack dev"],
    ["risk:fraud.readCapacity", "20000", "Fix: pulumi config set --path risk:fraud.readCapacityMax 40000 --stack dev"],
    ["risk:warehouse.loadSchedule", "rate(2 hours)", "risk:warehouse.freshnessAlarmMinutes: expected more than the 120 minutes"],
    ["risk:warehouse.vpcCidr", "10.256.0.0/16", "a /16 network"],
    [
      "risk:fraud.policy",
      "{",
      "risk:fraud.policy: expected an object of thresholds, weights, bands, got {. Fix: pulumi config rm --path risk:fraud.policy --stack dev",
    ],
    [
      "risk:churn.policy",
      '{"weigths":{}}',
      'Did you mean "weights"? Fix: pulumi config rm --path risk:churn.policy.weigths --stack dev',
    ],
    ["risk:lead.policy", '{"bands":[1]}', "risk:lead.policy.bands: expected an object of names and numbers, got [1]"],
    ["risk:lead.policy", '{"thresholds":{"high":1}}', "the lead policy has no such name. It has no thresholds."],
    [
      "risk:lead.policy",
      '{"bands":{"high":10}}',
      "expected low = 0 < medium < high < critical, got low 0, medium 40, high 10, critical 95",
    ],
    ["risk:fraud.policy", '{"bands":{"low":0.1}}', "got low 0.1"],
    ["risk:fraud.policy", '{"bands":{"high":-1}}', "Fix: pulumi config set --path risk:fraud.policy.bands.high 0.6 --stack dev"],
    ["risk:fraud.policy", '{"weights":{"impossible_travle":0.5}}', 'Did you mean "impossible_travel"?'],
    ["risk:fraud.policy", '{"weights":{"impossible_travel":1}}', "expected a number from 0 to 0.999, got 1"],
    ["risk:fraud.policy", '{"bands":{"high":2}}', "expected a number from 0 to 1, got 2"],
    ["risk:fraud.policy", '{"bands":{"high":"NaN"}}', 'expected a number from 0 to 1, got "NaN"'],
  ])("checks %s = %s", (key, value, message) => {
    const problems = problemsOf({ [key]: value });
    if (message === undefined) expect(problems).toEqual([]);
    else expect(problems).toEqual([expect.stringContaining(message)]);
  });

  it("accepts a new account, which has ten executions in total, with none reserved and a burst of ten", () => {
    expect(
      problemsOf({
        "risk:accountConcurrencyLimit": "10",
        "risk:reserveConcurrency": "false",
        "risk:api.throttleBurst": "10",
      }),
    ).toEqual([]);
  });

  it("accepts -1 as a value, which the CLI would read as an option", () => {
    expect(problemsOf({ "risk:fraud.maxRetries": "-2" })).toEqual([
      expect.stringMatching(/Fix: pulumi config set --path risk:fraud\.maxRetries --stack dev -- -1$/),
    ]);
  });

  it("refuses names that are each valid but together make a bucket's name too long, until one is shorter", () => {
    const long = {
      "aws:region": "ap-southeast-2",
      "risk:environment": "integratio",
      "risk:suffix": "abcdefgh",
      "risk:bucketPrefix": "abcdefghijklmnop",
    };
    expect(problemsOf(long)).toEqual([
      "risk:bucketPrefix: expected at most 13 characters, or a shorter environment or suffix, since the bucket " +
        "abcdefghijklmnop-risk-pipelines-integratio-ap-southeast-2-abcdefgh would have 66 characters and S3 takes 63, " +
        'got "abcdefghijklmnop". Fix: pulumi config set risk:bucketPrefix abcdefghijklm --stack dev',
    ]);
    expect(problemsOf({ ...long, "risk:bucketPrefix": "abcdefghijklm" })).toEqual([]);
    expect(problemsOf({ ...long, "risk:suffix": "abcde" })).toEqual([]);
    expect(problemsOf({ ...long, "risk:pipelines.enabled": "false" })).toEqual([]);
  });

  it("keeps warm executions within the reserved ones", () => {
    const withoutEvents = { "risk:fraud.triggers": "kinesis" };
    expect(
      problemsOf({ ...withoutEvents, "risk:api.reservedConcurrency": "200", "risk:api.provisionedConcurrency": "201" }),
    ).toEqual([expect.stringContaining("at most api.reservedConcurrency (200)")]);
  });

  it("gives functions time to read a canary before it is checked", () => {
    const read = { "risk:policyTtlSeconds": "60" };
    expect(problemsOf({ ...read, "risk:training.canaryMinutes": "2" })).toEqual([
      expect.stringContaining("0, or at least 3: functions take up to 72 seconds (policyTtlSeconds)"),
    ]);
    expect(problemsOf({ ...read, "risk:training.canaryMinutes": "3" })).toEqual([]);
  });

  it("reports every problem at once, with the stack", () => {
    const values = stackValues("dev", {
      "risk:fraud.shards": "x",
      "risk:tracing": "x",
      "risk:suffix": undefined,
      "risk:typo": "1",
    });
    expect(() => parseConfig("dev", values)).toThrow(/stack "dev" has 4 problem\(s\)/);
  });

  it.each([
    [
      { "risk:fraud.shards": "2" },
      "risk:fraud.shards: expected shards as a member of risk:fraud, got a key with a dot in its name. Fix: pulumi config rm risk:fraud.shards --stack dev && pulumi config set --path risk:fraud.shards 2 --stack dev",
    ],
    [{ "risk:fraud.shard": "2" }, 'Did you mean "fraud.shards"? Fix: pulumi config rm risk:fraud.shard --stack dev'],
    [
      { "risk:api": "iam" },
      "risk:api: expected an object such as {auth: …}, got iam. Fix: pulumi config rm risk:api --stack dev",
    ],
    [{ "risk:api": "[]" }, "risk:api: expected an object such as {auth: …}, got []"],
    [{ "risk:fraude": "{}" }, 'Did you mean "fraud"? Fix: pulumi config rm risk:fraude --stack dev'],
    [{ "risk:api": "" }, "risk:api: expected an object such as {auth: …}, got nothing."],
    [{ "risk:api": '{"auth":null}' }, "risk:api.auth: expected one of apiKey, iam, cognito, none, got null"],
    [
      { "risk:warehouse": '{"databaseName":null}' },
      "risk:warehouse.databaseName: expected lower-case letters, digits and underscores, and not dev, got null",
    ],
    [{ "risk:lead": '{"policy":null}' }, "risk:lead.policy: expected an object of thresholds, weights, bands, got null"],
    [{ "risk:suffix": "" }, 'risk:suffix: expected 1 to 8 lower-case letters and digits, got ""'],
    [{ "risk:api": '{"a.b":1}' }, "Fix: pulumi config rm --path 'risk:api[\"a.b\"]' --stack dev"],
    [
      { "risk:lead": '{"policy":{"bands":{"it\'s":1}}}' },
      "Fix: pulumi config rm --path 'risk:lead.policy.bands[\"it'\\''s\"]' --stack dev",
    ],
  ])("refuses %j", (keys, message) => {
    const values: Record<string, string> = { ...stackValues("dev"), ...keys };
    expect(() => parseConfig("dev", values)).toThrow(message);
  });

  it("reads members that the CLI stored as text", () => {
    expect(parseConfig("dev", { ...stackValues("dev"), "risk:api": '{"throttleRate":"50","firewall":"true"}' })).toMatchObject({
      "api.throttleRate": 50,
      "api.firewall": true,
    });
  });

  it("leaves keys of other namespaces alone", () => {
    expect(problemsOf({ "aws:profile": "x", "pulumi:tags": "{}" })).toEqual([]);
  });
});

describe("overrides of a policy", () => {
  const policyWith = (overrides: string) =>
    parseConfig("dev", stackValues("dev", { "risk:fraud.policy": overrides }))["fraud.policy"];

  it("keep an untouched policy as it is", () => {
    expect(policyWith('{"weights":{}}')).toBe(PROFILES.fraud.defaultPolicy);
  });

  it("replace a weight, written as the CLI stores fractions, and drop the version", () => {
    const policy = policyWith('{"weights":{"impossible_travel":"0.7"}}');
    expect(policy.rules.find((rule) => rule.id === "impossible_travel")?.weight).toBe(0.7);
    expect(policy.version).toBeUndefined();
    expect(policy.rules).toHaveLength(PROFILES.fraud.defaultPolicy.rules.length);
  });

  it("replace a threshold and the start of a band", () => {
    const { thresholds, bands } = policyWith('{"thresholds":{"burst_1m":9},"bands":{"high":0.7}}');
    expect(thresholds).toEqual({ ...PROFILES.fraud.defaultPolicy.thresholds, burst_1m: 9 });
    expect(bands.map(({ min }) => min)).toEqual([0, 0.3, 0.7, 0.85]);
  });
});

describe("exchange rates", () => {
  const ratesWith = (overrides: Record<string, string>) => parseConfig("dev", stackValues("dev", overrides))["fraud.rates"];
  const rateOf = (document: RateDocument, currency: string): number => {
    const result = readRates(document);
    return result.ok ? result.rates.rateOf(currency) : Number.NaN;
  };

  it("are the default ones, converted to the reference currency", () => {
    expect(ratesWith({})).toMatchObject({ reference: "USD", base: "USD" });
    const euros = ratesWith({ "risk:fraud.referenceCurrency": "EUR" });
    expect(rateOf(euros, "USD")).toBeCloseTo(1 / DEFAULT_RATES.rates.EUR!, 12);
    expect(rateOf(euros, "EUR")).toBe(1);
  });

  it("are those of the stack, of its reference currency", () => {
    const rates = '{"as_of":"2026-03-01","rates":{"USD":"1.08"}}';
    const document = ratesWith({ "risk:fraud.referenceCurrency": "EUR", "risk:fraud.rates": rates });
    expect(rateOf(document, "USD")).toBe(1.08);
    expect(rateOf(document, "JPY")).toBeNaN();
  });

  it.each([
    ["{", "risk:fraud.rates: Expected an object of reference, base, as_of, rates."],
    [
      '{"as_of":"today","rates":{}}',
      "risk:fraud.rates.as_of: Expected the day of the rates, such as 2026-03-01. Fix: pulumi config rm",
    ],
    ['{"as_of":"2026-03-01","rates":{"EUR":-1}}', "risk:fraud.rates.rates.EUR: Expected a number from 1e-9"],
  ])("are refused by name: %s", (rates, problem) => {
    expect(problemsOf({ "risk:fraud.rates": rates })).toEqual([expect.stringContaining(problem)]);
  });

  it("need one of the reference currency", () => {
    expect(problemsOf({ "risk:fraud.referenceCurrency": "XAU" })[0]).toContain("Expected a rate of XAU");
  });
});

describe("Pulumi.yaml", () => {
  it("declares every setting that is a key of its own, with its type and default, and no member: the CLI reads a dot as a path", () => {
    const project: unknown = parse(readFileSync(join(ROOT, "Pulumi.yaml"), "utf8"));
    const declared = Object.entries<Setting>(SETTINGS).flatMap(([key, setting]) => {
      if (setting.type === "policy" || setting.type === "rates" || setting.type === "eventPattern") return [];
      if (key.includes(".")) return [];
      const type = setting.type === "enum" ? "string" : setting.type;
      const fallback = setting.default === undefined ? {} : { default: setting.default };
      return [[`risk:${key}`, { type, description: setting.description, ...fallback }]];
    });
    expect(project).toMatchObject({ name: "risk" });
    expect(project).toHaveProperty("config", Object.fromEntries(declared));
  });
});
