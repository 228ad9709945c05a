import { describe, expect, it } from "vitest";
import { columnsOf, readable } from "../../../functions/files/columns";
import {
  type Choice,
  type Chosen,
  chooseMapping,
  type MappingOptions,
  sourceText,
} from "../../../functions/files/mapping/choose";
import { PRESETS } from "../../../functions/files/mapping/presets";
import { detectTime } from "../../../functions/files/mapping/time-source";
import { recordMaker } from "../../../functions/files/mapping/to-record";
import { FRAUD_SCHEMA } from "../../../functions/scoring/profiles/fraud/schema";
import { AML, contents, GERMAN, PAYSIM, readFile, SPARKOV, TABFORMER, TAKE_HOME, TAKE_HOME_ISO } from "./samples";

const SCHEMA = { properties: FRAUD_SCHEMA.properties ?? {}, required: FRAUD_SCHEMA.required ?? [] };

async function choice(file: string, options: MappingOptions = {}): Promise<Choice> {
  const { plan, sample } = await readFile(file);
  const sampled = { columns: columnsOf(plan, sample), rows: readable(sample), isText: plan.format === "csv" };
  return chooseMapping(sampled, SCHEMA, options);
}

async function chosen(file: string, options: MappingOptions = {}): Promise<Chosen> {
  const made = await choice(file, options);
  if (!made.ok) throw new Error(made.problems.join("\n"));
  return made.chosen;
}

async function problems(file: string, options: MappingOptions = {}): Promise<string> {
  const made = await choice(file, options);
  return made.ok ? "" : made.problems.join("\n");
}

async function records(file: string, options: MappingOptions = {}): Promise<unknown[]> {
  const { plan, rows } = await readFile(file);
  const make = recordMaker((await chosen(file, options)).mapping, SCHEMA, plan);
  return rows.map((row) => (row.kind === "row" ? make(row.cells, row.row) : row.reason));
}

const id = (row: number) => expect.stringMatching(new RegExp(`^[0-9a-f]{12}-${row}$`));

describe("known files give records without a mapping", () => {
  it("PaySim: steps are hours from a stated date", async () => {
    expect(await records(PAYSIM)).toEqual([
      {
        transaction_id: id(1),
        user_id: "C100",
        amount: 2682.1,
        category: "PAYMENT",
        merchant_id: "M200",
        timestamp: "2025-01-01T01:00:00.000Z",
      },
      expect.objectContaining({ transaction_id: id(2), timestamp: "2025-01-02T06:00:00.000Z" }),
    ]);
    expect((await chosen(PAYSIM)).time?.why).toContain("2025-01-01T00:00:00Z");
  });

  it("TabFormer: time from four columns, refunds negative, card there or not", async () => {
    expect(await records(TABFORMER)).toEqual([
      {
        transaction_id: id(1),
        user_id: "0",
        amount: 134.09,
        currency: "USD",
        category: "5300",
        merchant_id: "3527213246127876953",
        card_present: true,
        timestamp: "2019-09-01T06:21:00.000Z",
      },
      expect.objectContaining({ amount: -25, card_present: false, timestamp: "2019-09-02T14:02:00.000Z" }),
    ]);
  });

  it("IBM AML: the two columns Account are told apart, and currencies have codes", async () => {
    expect(await records(AML)).toEqual([
      {
        transaction_id: id(1),
        user_id: "010-8000EBD30",
        amount: 3697.34,
        currency: "USD",
        category: "Reinvestment",
        merchant_id: "010-8000EBD31",
        timestamp: "2022-09-01T00:20:00.000Z",
      },
      expect.objectContaining({ user_id: "3208-8000F4580", amount: 35.4, currency: "EUR", merchant_id: "1-8000F5340" }),
    ]);
  });

  it.each([
    ["American times", TAKE_HOME, ["2015-04-01T02:47:00.000Z", "2015-06-08T01:38:00.000Z"]],
    ["ISO times", TAKE_HOME_ISO, ["2015-04-18 02:47:11", "2015-06-08 01:38:54"]],
  ])("the take-home file with %s: the time of the purchase, not of the sign-up", async (_, file, times) => {
    expect(await records(file)).toEqual([
      {
        transaction_id: id(1),
        user_id: "22058",
        amount: 34,
        device_id: "QVPS",
        ip_address: "43.173.1.96",
        timestamp: times[0],
      },
      expect.objectContaining({ timestamp: times[1] }),
    ]);
    expect((await chosen(file)).time).toMatchObject({ others: ["signup_time"], why: expect.stringContaining("purchase") });
  });

  it("Sparkov: the date in the text, because unix_time is years too early; card numbers to the last digit", async () => {
    expect(await records(SPARKOV)).toEqual([
      {
        transaction_id: "0b24",
        user_id: "4992346398065154184",
        amount: 4.97,
        category: "misc_net",
        merchant_id: "fraud_Rippin, Kub",
        latitude: 36,
        longitude: -82,
        home_latitude: 36.1,
        home_longitude: -81.2,
        timestamp: "2019-01-01 00:00:18",
      },
    ]);
    expect((await chosen(SPARKOV)).time).toMatchObject({ others: ["unix_time"], why: expect.stringContaining("2,557 days") });
  });

  it.each(PRESETS.map(({ name, signature }) => [name, signature]))(
    "%s is known by its columns in any order and case",
    async (name, signature) => {
      const header = [...signature].reverse().join(",").toUpperCase();
      const file = `${header}\n${signature.map(() => "1").join(",")}`;
      expect((await chosen(file)).preset).toMatchObject({ name, why: expect.stringContaining(signature.join(", ")) });
    },
  );

  it("unless --preset says otherwise", async () => {
    expect(await problems(PAYSIM, { preset: "none" })).toContain("Needed: transaction_id");
    expect(await problems(PAYSIM, { preset: "tabformer" })).toContain('the file has no column "User"');
    expect(await problems(PAYSIM, { preset: "paysin" })).toContain('Did you mean "paysim"?');
    const asked = await chosen(PAYSIM, { preset: "paysim", map: [["device_id", "nameDest"]], id: "nameOrig+step" });
    expect(asked.preset?.why).toContain("--preset says so");
    expect(asked.mapping.fields).toMatchObject({
      device_id: { columns: ["nameDest"] },
      transaction_id: { columns: ["nameOrig", "step"] },
    });
  });
});

describe("files with columns in other languages", () => {
  it("in German: names, decimal commas", async () => {
    expect(await records(GERMAN)).toEqual([
      { transaction_id: "B-1", user_id: "K-1", amount: 1892.98, currency: "EUR", timestamp: "2026-03-01 12:00:00" },
      { transaction_id: "B-2", user_id: "K-2", amount: 7.5, currency: "EUR", timestamp: "2026-03-02 12:01:00" },
    ]);
    expect((await chosen(GERMAN)).mapping.decimalCommas).toEqual(["Betrag"]);
    expect((await chosen(GERMAN, { decimal: "point" })).mapping.decimalCommas).toEqual([]);
    expect((await chosen(GERMAN, { decimal: "comma" })).mapping.decimalCommas).toEqual(["Betrag"]);
  });

  it.each([
    "Numéro de commande;Client;Montant;Devise;Horodatage",
    "Número de pedido;Cliente;Importe;Moneda;Fecha",
    "Bestelnummer;Klant;Bedrag;Valuta;Tijdstip",
  ])("%s", async (header) => {
    const [record] = await records(`${header}\nB;K;1,5;EUR;31.03.2026 08:00\n`);
    expect(record).toMatchObject({ transaction_id: "B", user_id: "K", amount: 1.5, timestamp: "2026-03-31T08:00:00.000Z" });
  });
});

describe("the time of a row", () => {
  const timed = (header: string, ...rows: readonly string[]) =>
    [`transaction_id,user_id,amount,${header}`, ...rows.map((row, i) => `t${i},u,1,${row}`)].join("\n");
  const times = async (file: string, time?: string) =>
    (await records(file, time === undefined ? {} : { time })).map((record) => Object(record).timestamp);

  it.each([
    ["date,time", "2026-03-01,08:30", "2026-03-01 08:30"],
    ["Year,Month,Day", "2026,3,1", "2026-03-01T00:00:00.000Z"],
    ["Year,Month,Day,Hour", "2026,3,1,17", "2026-03-01T17:00:00.000Z"],
    ["ts", "1772366400", 1_772_366_400],
    ["created_at", "2026/03/01 08:30:15", "2026-03-01T08:30:15.000Z"],
    ["when,timestamp", "x,2026-03-01T08:00:00+02:00", "2026-03-01T08:00:00+02:00"],
    ["date", "4/18/2015 2:47 PM", "2015-04-18T14:47:00.000Z"],
    ["date", "18/4/2015 2:47", "2015-04-18T02:47:00.000Z"],
    ["date", "never", "never"],
    ["date", "", undefined],
  ])("in %s: %s", async (header, row, expected) => {
    expect(await times(timed(header, row))).toEqual([expected]);
  });

  it.each([
    ["when", "2026-03-01", "2026-03-01"],
    ["when as D/M/YYYY", "4/3/2026", "2026-03-04T00:00:00.000Z"],
    ["when days since 2026-01-01", "31", "2026-02-01T00:00:00.000Z"],
    ["when seconds since 2026-01-01T00:00:00Z", "1.5", "2026-01-01T00:00:01.500Z"],
    ["when hours since 2026-01-01", "soon", "soon"],
  ])("by --time %s", async (option, value, expected) => {
    expect(await times(timed("when", value), option)).toEqual([expected]);
  });

  it("by --time of columns whose names have a plus or stand apart", async () => {
    expect(await times(timed("d+t,d,t", "2026-01-01,2026-02-02,10:00"), "d+t")).toEqual(["2026-01-01"]);
    expect(await times(timed("d,t", "2.2.2026,10:00"), "d+t")).toEqual(["2026-02-02T10:00:00.000Z"]);
  });

  it("that has two readings is refused, with the options that settle it", async () => {
    const message = await problems(timed("date", "4/3/2026 2:47"));
    expect(message).toContain('Add --time "date as M/D/YYYY H:mm" or --time "date as D/M/YYYY H:mm".');
    expect(await times(timed("date", "4/3/2026", "4/13/2026"))).toEqual(["2026-04-03T00:00:00.000Z", "2026-04-13T00:00:00.000Z"]);
  });

  it.each([
    ["nope", 'the file has no column "nope"'],
    ["amount+nope as YYYY", 'the file has no column "nope"'],
    ["nope hours since 2025-01-01", 'the file has no column "nope"'],
    ["amount hours since then", '"then" is not a time'],
    ["amount as QQ", "can't be used"],
  ])("by --time %s is refused", async (time, message) => {
    expect(await problems(timed("ts", "1772366400"), { time })).toContain(message);
  });

  it("is of the likeliest column whose values are times, and the others are named", async () => {
    const file = timed("event_time,created_at,purchase_time,signup_time", "n/a,2026-01-03,2026-01-02,2025-01-01");
    expect((await chosen(file)).time).toEqual({
      taken: "purchase_time",
      why: "the likeliest name for the event's own time, and its values are times",
      others: ["event_time", "created_at", "signup_time"],
    });
    expect((await chosen(file, { map: [["timestamp", "created_at"]] })).time).toMatchObject({
      taken: "created_at",
      why: "--map says so",
    });
  });

  it("is detected in spite of a few damaged values, and not from none", () => {
    const values = [...Array.from({ length: 19 }, (_, i) => `${i + 1}.3.2026`), "?"];
    expect(detectTime(values)).toEqual({ kind: "format", format: "D.M.YYYY" });
    expect(detectTime([])).toEqual({ kind: "none" });
  });
});

describe("what is missing", () => {
  it("is named once, with the columns, the fields and the options that would supply them", async () => {
    const message = await problems("a,b\nx,y\n");
    expect(message).toContain("Needed: transaction_id, user_id, amount, timestamp. Columns found: a, b.");
    for (const option of ["--id row", "--map user_id=COLUMN", "--map amount=COLUMN", "--time COLUMN"])
      expect(message).toContain(option);
  });

  it("is named with every mistake in the options", async () => {
    const message = await problems(GERMAN, {
      map: [
        ["amont", "Betrag"],
        ["amount", "Betrug"],
      ],
      id: "Kunde+Tag",
    });
    expect(message).toContain('"amont" is not a field');
    expect(message).toContain('no column "Betrug"');
    expect(message).toContain('no column "Tag"');
  });
});

describe("values", () => {
  const head = '{"transaction_id":"x","user_id":"u","amount":1,"timestamp":"2026-01-01"';

  it("of JSON stay what they are, except codes and addresses", async () => {
    const [record] = await records(
      `${head},"amount":" 4.5","currency":"Euro","ip_address":3426522774,"device_id":7,"email":null}`.replace(',"amount":1', ""),
    );
    expect(record).toEqual({
      transaction_id: "x",
      user_id: "u",
      amount: " 4.5",
      timestamp: "2026-01-01",
      currency: "EUR",
      ip_address: "204.60.150.150",
      device_id: 7,
    });
  });

  it("of CSV become numbers and booleans only if the whole text is one; blanks and empty cells go", async () => {
    const file =
      "id,user,amount,timestamp,card_present,hour,ip\n mix-6 ,u, 4.5,2026-01-01,yes,7,::1\nt,u,4,2026-01-01,maybe,x,9999999999\ns,,,2026-01-01,No,,";
    expect(await records(file)).toEqual([
      {
        transaction_id: "mix-6",
        user_id: "u",
        amount: 4.5,
        timestamp: "2026-01-01",
        card_present: true,
        hour: 7,
        ip_address: "::1",
      },
      {
        transaction_id: "t",
        user_id: "u",
        amount: 4,
        timestamp: "2026-01-01",
        card_present: "maybe",
        hour: "x",
        ip_address: "9999999999",
      },
      { transaction_id: "s", timestamp: "2026-01-01", card_present: false },
    ]);
  });

  it("of several columns make one id, unless one of them is empty", async () => {
    const file = "a,b,user,amount,timestamp\n1,2,u,5,2026-01-01\n1,,u,5,2026-01-01";
    const made = await records(file, { id: "a+b" });
    expect(made.map((record) => Object(record).transaction_id)).toEqual(["1-2", undefined]);
  });

  it("of a column given as column=field are found, too", async () => {
    const { mapping } = await chosen("a,user,amount,timestamp\n1,u,5,2026-01-01", { map: [["a", "transaction_id"]] });
    expect(mapping.fields.transaction_id).toEqual({ kind: "columns", columns: ["a"] });
  });
});

describe("sourceText", () => {
  it("writes sources as the options do", async () => {
    const { fields } = (await chosen(TABFORMER)).mapping;
    expect(Object.values(fields).map(sourceText)).toContain("Year+Month+Day+Time as YYYY M D H:mm");
    expect(Object.values((await chosen(PAYSIM)).mapping.fields).map(sourceText)).toContain(
      "step hours since 2025-01-01T00:00:00Z",
    );
    expect(contents((await readFile(TABFORMER)).rows)).toHaveLength(2);
  });
});
