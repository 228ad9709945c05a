import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileRule } from "../../local/services/stepfunctions/language/choice";
import { readDefinition } from "../../local/services/stepfunctions/language/definition";
import { covers, StatesError } from "../../local/services/stepfunctions/language/errors";
import { compileIntrinsic } from "../../local/services/stepfunctions/language/intrinsics";
import { compilePath, evaluatePath } from "../../local/services/stepfunctions/language/path";
import { compileResultPath, compileSelection, compileTemplate } from "../../local/services/stepfunctions/language/template";
import { resolveIntegration } from "../../local/services/stepfunctions/tasks/integrations";

const at = (path: string, input: unknown, context: unknown = {}) => evaluatePath(compilePath(path), input, context);

describe("paths", () => {
  const input = {
    days: [
      { date: "1", status: "failed", n: 3 },
      { date: "2", status: "scored", n: 5 },
    ],
    "a b": { "c.d": 1 },
    none: null,
  };

  it.each([
    ["$", input],
    ["$.days[0].date", "1"],
    ["$.days[-1].date", "2"],
    ["$['a b']['c.d']", 1],
    ['$["a b"]["c.d"]', 1],
    ["$.none", null],
    ["$.days[*].n", [3, 5]],
    ["$.days[0:1].n", [3]],
    ["$.days[0,1].n", [3, 5]],
    ["$..date", ["1", "2"]],
    ["$..[0].n", [3]],
    ["$.days[?(@.status == 'failed')].date", ["1"]],
    ["$.days[?(@.n > 3 && @.status)].date", ["2"]],
    ["$.days[?(@.n == 3 || @.n == 5)].date", ["1", "2"]],
    ["$.days[?(@.missing)]", []],
  ])("%s", (path, expected) => expect(at(path, input)).toEqual(expected));

  it("asks the context object", () => expect(at("$$.Execution.Name", {}, { Execution: { Name: "run" } })).toBe("run"));

  it("a definite path that finds nothing is States.Runtime", () => {
    expect(() => at("$.days[2]", input)).toThrow(expect.objectContaining({ error: "States.Runtime" }));
    expect(() => at("$.toString", input)).toThrow(/The JSONPath '\$\.toString' could not be found/);
  });

  it.each(["$.items.length()", "$.a[?(@.b =~ /x/)]", "$.a[(@.length-1)]", "a.b", "$a", "$."])("refuses %s", (path) =>
    expect(() => compilePath(path)).toThrow(/is not supported/),
  );

  it("finds any member by its quoted name", () => {
    fc.assert(
      fc.property(fc.string(), fc.jsonValue(), (name, value) => {
        const quoted = name.replace(/[\\']/g, "\\$&");
        expect(at(`$['${quoted}']`, { other: 1, [name]: value })).toEqual(value);
      }),
      { seed: 7 },
    );
  });
});

describe("intrinsic functions", () => {
  const evaluate = (text: string, input: unknown = {}) => compileIntrinsic(text)(input, { Execution: { Name: "run" } });

  it.each<[string, unknown, unknown]>([
    ["States.Format('Failed (see {}: {})', $.a, 3)", { a: "x" }, "Failed (see x: 3)"],
    ["States.Format('\\{{}\\} it\\'s', $.a)", { a: true }, "{true} it's"],
    ["States.Format('{}', States.JsonToString($))", { a: 'quote " and \\' }, JSON.stringify({ a: 'quote " and \\' })],
    ["States.StringToJson($.text)", { text: '{"a":[1]}' }, { a: [1] }],
    ["States.JsonMerge($.a, States.StringToJson('{\"y\":2}'), false)", { a: { x: 1, y: 1 } }, { x: 1, y: 2 }],
    ["States.Array($.a, 'b', null, 1.5)", { a: [1] }, [[1], "b", null, 1.5]],
    ["States.ArrayPartition($, 2)", [1, 2, 3], [[1, 2], [3]]],
    ["States.ArrayContains($, 2)", [1, 2, 3], true],
    ["States.ArrayRange(1, 9, 2)", {}, [1, 3, 5, 7, 9]],
    ["States.ArrayGetItem($, 1)", [1, 2], 2],
    ["States.ArrayLength($)", [1, 2], 2],
    ["States.ArrayUnique($)", [1, { a: 1 }, 1, { a: 1 }], [1, { a: 1 }]],
    ["States.Base64Decode(States.Base64Encode('grüße'))", {}, "grüße"],
    ["States.Hash('a', 'SHA-256')", {}, "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"],
    ["States.MathAdd($.a, -1)", { a: 3 }, 2],
    ["States.StringSplit('This.is+a,test=string', '.+,=')", {}, ["This", "is", "a", "test", "string"]],
    ["States.Format('{}', $$.Execution.Name)", {}, "run"],
  ])("%s", (text, input, expected) => expect(evaluate(text, input)).toEqual(expected));

  it("random numbers of one seed are the same and in range", () => {
    const numbers = [1, 2, 3].map((seed) => evaluate(`States.MathRandom(1, 10, ${seed})`));
    expect(numbers).toEqual([1, 2, 3].map((seed) => evaluate(`States.MathRandom(1, 10, ${seed})`)));
    for (const number of numbers) expect(number).toSatisfy((value: number) => value >= 1 && value < 10);
  });

  it("States.JsonMerge leaves its arguments as they are", () => {
    const input = { a: { x: 1 }, b: { x: 2 } };
    evaluate("States.JsonMerge($.a, $.b, false)", input);
    expect(input.a).toEqual({ x: 1 });
  });

  it.each([
    ["States.ArrayGetItem($.a, 5)", /outside an array/],
    ["States.StringToJson('no json')", /States\.StringToJson/],
    ["States.Format('{}')", /1 placeholders for 0 values/],
    ["States.JsonMerge($, $, true)", /shallow/],
    ["States.MathAdd('1', 2)", /expected a number, got "1"/],
  ])("%s fails as States.IntrinsicFailure", (text, message) => {
    try {
      evaluate(text, { a: [1] });
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(StatesError);
      expect(error).toMatchObject({ error: "States.IntrinsicFailure", causeText: expect.stringMatching(message) });
    }
  });

  it.each(["States.Unknown($)", "States.Format('a'", "States.Format('a') b", "States.Format(a)"])("refuses %s", (text) =>
    expect(() => compileIntrinsic(text)).toThrow(text),
  );
});

describe("data flow", () => {
  it("fills templates at any depth and keeps everything else", () => {
    const template = { "a.$": "$.x", b: [{ "c.$": "$$.Execution.Name" }, 1, null], d: { e: "$.x" } };
    expect(compileTemplate(template)({ x: [1] }, { Execution: { Name: "run" } })).toEqual({
      a: [1],
      b: [{ c: "run" }, 1, null],
      d: { e: "$.x" },
    });
  });

  it.each<[string | null | undefined, unknown]>([
    [undefined, "result"],
    ["$", "result"],
    [null, { a: { b: 1 } }],
    ["$.a.c", { a: { b: 1, c: "result" } }],
    ["$.n.m", { a: { b: 1 }, n: { m: "result" } }],
    ["$['x y']", { a: { b: 1 }, "x y": "result" }],
  ])("ResultPath %s", (path, expected) => expect(compileResultPath(path)({ a: { b: 1 } }, "result")).toEqual(expected));

  it("a ResultPath that does not fit is States.ResultPathMatchFailure", () =>
    expect(() => compileResultPath("$.a")("text", 1)).toThrow(
      expect.objectContaining({ error: "States.ResultPathMatchFailure" }),
    ));

  it("a null path is an empty object", () => expect(compileSelection(null)({ a: 1 }, {})).toEqual({}));
});

describe("choice rules", () => {
  const input = { text: "abc*", number: 3, flag: false, none: null, time: "2026-01-01T00:00:00Z", other: 3 };

  it.each<[object, boolean]>([
    [{ Variable: "$.text", StringEquals: "abc*" }, true],
    [{ Variable: "$.text", StringMatches: "a*\\*" }, true],
    [{ Variable: "$.text", StringMatches: "a*b" }, false],
    [{ Variable: "$.text", StringLessThan: "b" }, true],
    [{ Variable: "$.number", NumericGreaterThanEquals: 3 }, true],
    [{ Variable: "$.number", NumericEqualsPath: "$.other" }, true],
    [{ Variable: "$.number", StringEquals: "3" }, false],
    [{ Variable: "$.flag", BooleanEquals: false }, true],
    [{ Variable: "$.time", TimestampEquals: "2026-01-01T01:00:00+01:00" }, true],
    [{ Variable: "$.time", TimestampLessThan: "2025-01-01T00:00:00Z" }, false],
    [{ Variable: "$.none", IsNull: true }, true],
    [{ Variable: "$.text", IsNull: false }, true],
    [{ Variable: "$.missing", IsPresent: false }, true],
    [{ Variable: "$.text", IsPresent: false }, false],
    [{ Variable: "$.time", IsTimestamp: true }, true],
    [{ Variable: "$.text", IsNumeric: false }, true],
    [
      {
        And: [
          { Variable: "$.missing", IsPresent: true },
          { Variable: "$.missing", StringEquals: "x" },
        ],
      },
      false,
    ],
    [
      {
        Or: [
          { Variable: "$.flag", BooleanEquals: true },
          { Variable: "$.number", NumericLessThan: 4 },
        ],
      },
      true,
    ],
    [{ Not: { Variable: "$.flag", BooleanEquals: true } }, true],
  ])("%j is %s", (rule, expected) => expect(compileRule({ ...rule })(input, {})).toBe(expected));

  it("comparing what is not there is States.Runtime", () =>
    expect(() => compileRule({ Variable: "$.missing", StringEquals: "x" })({}, {})).toThrow(
      expect.objectContaining({ error: "States.Runtime" }),
    ));
});

describe("error names", () => {
  it.each([
    [["States.ALL"], "Anything", true],
    [["States.ALL"], "States.Timeout", true],
    [["States.ALL"], "States.DataLimitExceeded", false],
    [["States.ALL"], "States.Runtime", false],
    [["States.Runtime"], "States.Runtime", false],
    [["States.TaskFailed"], "Anything", true],
    [["States.TaskFailed"], "States.Timeout", false],
    [["A", "B"], "B", true],
    [["A"], "B", false],
  ])("%j covers %s: %s", (names, error, expected) => expect(covers(names, error)).toBe(expected));
});

describe("definitions", () => {
  const read = (definition: object | string) =>
    readDefinition(typeof definition === "string" ? definition : JSON.stringify(definition), resolveIntegration);
  const machine = (state: object) => ({ StartAt: "A", States: { A: { End: true, ...state } } });
  const taskOf = (Resource: string, more: object = {}) => machine({ Type: "Task", Resource, Parameters: {}, ...more });
  const glue = "arn:aws:states:::glue:startJobRun.sync";
  const map = (more: object, processor: object = {}) =>
    machine({
      Type: "Map",
      ItemProcessor: { StartAt: "B", States: { B: { Type: "Pass", End: true } }, ...processor },
      ...more,
    });

  it.each<[string, object | string, RegExp]>([
    ["JSON", "{", /not JSON/],
    ["JSONata", { QueryLanguage: "JSONata", ...machine({ Type: "Pass" }) }, /QueryLanguage JSONata is not supported/],
    ["JSONata in a state", machine({ Type: "Pass", QueryLanguage: "JSONata" }), /state "A": QueryLanguage JSONata/],
    ["heartbeats", taskOf(glue, { HeartbeatSeconds: 3 }), /state "A": the field HeartbeatSeconds is not supported .*task tokens/],
    ["variables", machine({ Type: "Pass", Assign: { a: 1 } }), /the field Assign is not supported/],
    ["JSONata arguments", taskOf(glue, { Arguments: {} }), /the field Arguments is not supported/],
    ["other roles", taskOf(glue, { Credentials: { RoleArn: "x" } }), /the field Credentials is not supported/],
    ["tolerated failures", map({ ToleratedFailurePercentage: 5 }), /the field ToleratedFailurePercentage .*Distributed Map/],
    ["distributed maps", map({}, { ProcessorConfig: { Mode: "DISTRIBUTED", ExecutionType: "STANDARD" } }), /Mode DISTRIBUTED/],
    ["item readers", map({ ItemReader: {} }), /the field ItemReader/],
    [
      "fields inside a map",
      map({}, { States: { B: { Type: "Pass", End: true, Assign: {} } } }),
      /state "B": the field Assign is not supported/,
    ],
    ["unreachable states", { StartAt: "A", States: { A: { Type: "Succeed" }, B: { Type: "Succeed" } } }, /not valid: .*B/s],
    ["missing targets", machine({ Type: "Pass", End: undefined, Next: "Nowhere" }), /Nowhere/],
    [
      "unknown services",
      taskOf("arn:aws:states:::ecs:runTask.sync"),
      /state "A": the Resource .*ecs:runTask.sync is not supported/,
    ],
    ["task tokens", taskOf("arn:aws:states:::lambda:invoke.waitForTaskToken"), /waitForTaskToken is not supported/],
    ["services without JSON", taskOf("arn:aws:states:::aws-sdk:s3:putObject"), /aws-sdk:s3:putObject is not supported/],
    ["activities", taskOf("arn:aws:states:us-east-1:000000000000:activity:x"), /activity:x is not supported/],
    [
      "unknown parameters of lambda:invoke",
      taskOf("arn:aws:states:::lambda:invoke", { Parameters: { FunctionName: "f", LogType: "Tail" } }),
      /LogType/,
    ],
    ["unknown intrinsics", taskOf(glue, { Parameters: { "a.$": "States.Nothing($)" } }), /a\.\$ is invalid/],
  ])("refuses %s by name", (_what, definition, message) => expect(() => read(definition)).toThrow(message));

  it("names every problem at once", () =>
    expect(() => read(taskOf(glue, { HeartbeatSeconds: 1, Credentials: {} }))).toThrow(/HeartbeatSeconds.*\n.*Credentials/));

  it("reads every kind of state", () => {
    const program = read({
      StartAt: "A",
      TimeoutSeconds: 60,
      States: {
        A: { Type: "Task", Resource: glue, Parameters: { JobName: "j" }, TimeoutSecondsPath: "$.t", Next: "B" },
        B: { Type: "Choice", Choices: [{ Variable: "$.a", IsPresent: true, Next: "C" }], Default: "D" },
        C: { Type: "Wait", TimestampPath: "$.at", Next: "D" },
        D: { Type: "Parallel", Branches: [{ StartAt: "E", States: { E: { Type: "Succeed" } } }], Next: "F" },
        F: { Type: "Fail", ErrorPath: "$.error", CausePath: "States.JsonToString($)" },
      },
    });
    expect([...program.states.keys()]).toEqual(["A", "B", "C", "D", "F"]);
    expect(program.timeoutSeconds).toBe(60);
  });
});
